"""What requests of our own to other servers need: when to send again, and names looked up beside the event loop."""
