"""The command `driftgauge export`: the newest rows of a running process, with predictions and labels, as a file."""
