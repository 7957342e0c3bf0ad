"""Sign-in with accounts of other providers, by OAuth 2 and OpenID Connect."""
