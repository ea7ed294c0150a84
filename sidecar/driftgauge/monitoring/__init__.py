"""Reads the window of every stream on a clock, tests it against its reference and publishes the result."""
