"""The recipes: session and its companions."""
