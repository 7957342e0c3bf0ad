"""The routes that optional features add to those of `api`."""
