"""Door 1: stands in front of the model server, passes every byte on, keeps a bounded copy of inferences."""
