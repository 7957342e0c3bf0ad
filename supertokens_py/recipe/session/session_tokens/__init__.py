"""What tokens say, which of a request's count, and how new ones reach the client."""
