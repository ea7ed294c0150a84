"""Compares two revisions of one model on the traffic of the same time, with tests that may be looked at at any time."""
