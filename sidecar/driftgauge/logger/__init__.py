"""TODO logger."""
