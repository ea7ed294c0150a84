"""Examples that run: real data and real parts, users of driftgauge that import nothing of it."""
