"""What rows in Redis cost the client, for different layouts."""
