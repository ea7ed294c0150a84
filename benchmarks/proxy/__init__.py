"""What a proxy costs for each request, beside the proxies that one would otherwise put there."""
