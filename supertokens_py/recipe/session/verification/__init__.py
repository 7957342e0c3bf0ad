"""From access tokens to sessions: verify those of requests, and notice when they are used or revoked."""
