"""What `session.init` decided about requests: cookies, transfer methods, anti-CSRF, origins, issuers."""
