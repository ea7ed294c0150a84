"""The data plane as values: bytes and events in, bytes and calls out. This room does no I/O and knows no clock."""
