"""The newest result of every stream, of which the gauges, the JSON at `/drift` and the pages are three views."""
