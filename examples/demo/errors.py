"""The one error of the demo."""


class DemoError(Exception):
    """The demo cannot go on; one clear sentence for a person says why."""
