"""The settings of optional features, and what they choose for a new session."""
