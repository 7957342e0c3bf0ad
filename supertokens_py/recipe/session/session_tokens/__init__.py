"""The tokens of a session: what they contain, which of a request's count, how new ones reach the client."""
