"""Device-bound sessions: the protocol with browsers, and what requests of a bound session must come with."""
