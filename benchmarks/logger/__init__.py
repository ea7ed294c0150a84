"""What an event of KServe's agent costs its receiver."""
