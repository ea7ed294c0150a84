"""Reference datasets: read from files, checked, sorted once per version, and reloaded when a file changes."""
