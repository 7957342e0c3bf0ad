"""What `init` decided, asked for one request: cookies, transfer methods, anti-CSRF, issuers. Pure."""
