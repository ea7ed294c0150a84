"""What driftgauge costs, measured in interleaved runs on one machine. No test asserts these figures."""
