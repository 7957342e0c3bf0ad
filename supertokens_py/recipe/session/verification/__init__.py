"""From an access token to its session: of a request, of new tokens, and while it is watched."""
