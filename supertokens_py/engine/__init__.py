"""Engines keep sessions: `interface` says what recipes need of one, `factory` makes the right one."""
