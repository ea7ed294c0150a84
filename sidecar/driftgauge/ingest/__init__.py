"""From an offered payload to rows in the ring."""
