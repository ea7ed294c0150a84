"""Threads for work that would keep the event loop busy."""
