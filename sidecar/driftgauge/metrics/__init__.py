"""The metric families that Prometheus scrapes, all on one registry."""
