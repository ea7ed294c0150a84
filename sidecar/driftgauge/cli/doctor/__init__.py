"""The command `doctor`: checks what a process needs, and says what to do where something is missing."""
