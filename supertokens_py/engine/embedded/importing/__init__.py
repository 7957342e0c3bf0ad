"""Copy the database of an official core into one of our own."""
