"""TODO cloudevents."""
