"""What rows in Redis cost the client, by the way in which they lie there."""
