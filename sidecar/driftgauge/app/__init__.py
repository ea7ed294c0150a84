"""The composition root: makes every part of a process, and starts and stops them in order."""
