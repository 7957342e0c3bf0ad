"""The built-in kinds of claims."""
