"""Drivers: one application and one way to send it requests per framework."""
