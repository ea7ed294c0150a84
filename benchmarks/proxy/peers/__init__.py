"""The other proxies, each with a usual configuration: one worker, keep-alive, no access log."""
