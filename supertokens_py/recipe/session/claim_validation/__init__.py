"""Whether a session's claims pass: evaluation, step-up, and what guests and actors may not do."""
