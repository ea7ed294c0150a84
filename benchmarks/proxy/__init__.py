"""What the proxy costs for each request, compared with other proxies."""
