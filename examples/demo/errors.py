"""The error of the demo."""


class DemoError(Exception):
    """The demo cannot continue; its message gives the reason."""
