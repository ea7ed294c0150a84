"""What installs driftgauge on Kubernetes: the chart, and the programs that write parts of it."""
