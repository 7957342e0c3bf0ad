"""The calls of the sign-in recipes, and their limits."""
