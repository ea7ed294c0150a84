"""The other proxies, each as one would set it up: one worker, kept connections, no access log."""
