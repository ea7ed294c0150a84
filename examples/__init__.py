"""Examples that run with real data and real programs; they use driftgauge and import nothing from it."""
