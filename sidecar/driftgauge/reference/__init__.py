"""The mounted reference datasets: read, checked, sorted once per version, replaced while running."""
