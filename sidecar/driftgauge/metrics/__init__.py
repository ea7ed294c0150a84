"""What Prometheus scrapes: every metric family has its name here, on one registry that is made by hand."""
