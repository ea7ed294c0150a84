"""What driftgauge costs, measured in interleaved runs on one machine; nothing here is asserted by a test."""
