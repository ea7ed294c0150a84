"""numpy in, numbers out: two-sample tests and their report. This room is pure: no I/O, no clock, no logging."""
