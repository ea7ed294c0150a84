"""How long one message holds up the requests of another client."""
