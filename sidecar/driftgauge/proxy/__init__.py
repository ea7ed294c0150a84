"""The proxy in front of the model server: forwards every request and response, and copies inferences within limits."""
