"""The endpoints of the core driver interface, one module per subject."""
