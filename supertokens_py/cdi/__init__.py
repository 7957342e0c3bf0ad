"""The core driver interface (CDI): its versions, and the JSON shapes of what crosses it."""
