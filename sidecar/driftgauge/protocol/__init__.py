"""Bytes of the inference protocols -> values. This room is pure: no I/O, no clock, no logging."""
