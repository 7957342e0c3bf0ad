"""The responses in the place of what was asked for: errors, and redirects of pages."""
