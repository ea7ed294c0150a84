"""What one hostile or unusual message, or the reload of a reference, costs the requests of another client."""
