"""Whether the claims of a session pass: evaluation, step-up, and what guests and actors are refused."""
