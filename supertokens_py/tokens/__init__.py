"""JWTs: the form of access tokens, and their signatures."""
