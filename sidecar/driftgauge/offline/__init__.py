"""TODO offline."""
