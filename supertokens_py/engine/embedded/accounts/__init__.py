"""Users as the tables of an official core have them, whatever they sign in with."""
