"""How other work of the same process delays requests."""
