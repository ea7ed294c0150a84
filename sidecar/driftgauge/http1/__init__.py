"""HTTP/1.1 as values: bytes in, heads and bodies out, and back. This room does no I/O and knows no clock."""
