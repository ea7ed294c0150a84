"""Logger mode: receives CloudEvents, and pairs requests with responses."""
