"""What an event of KServe's agent costs the receiver."""
