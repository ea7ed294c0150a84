"""The hour of a row: models of how a feature depends on it, and tests for a rhythm of the day."""
