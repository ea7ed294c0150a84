"""The admin port: metrics, health, verdicts as JSON, and pages for people."""
