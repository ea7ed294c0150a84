"""Sends each event on, unchanged, to other loggers: KServe allows one logger for each component."""
