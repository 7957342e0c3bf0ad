"""Delivery services for e-mails and text messages, which applications pass to recipes."""
