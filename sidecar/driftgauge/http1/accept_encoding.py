"""Which content codings a client takes; pages and metrics are compressed by it."""


def takes_gzip(accept_encoding: str) -> bool:
    """Whether a client takes gzip: it names it, or `*`, and not with a weight of 0.

    Args:
        accept_encoding: The header; empty if there is none, which is taken for a client without decompression.

    Example:
        `br, gzip;q=0.5` takes it; `gzip;q=0, *` does not.
    """
    weights = {}
    for item in accept_encoding.lower().split(","):
        coding, *parameters = (part.strip() for part in item.split(";"))
        weights[coding] = next((part.removeprefix("q=") for part in parameters if part.startswith("q=")), "1")
    weight = weights.get("gzip", weights.get("*", "0"))
    return weight.strip("0.") != ""
