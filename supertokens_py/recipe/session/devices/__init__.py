"""The sessions of one user: what is kept of their clients, how they are listed and revoked."""
