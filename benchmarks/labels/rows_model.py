"""A model server whose responses have as many rows as wanted: `python -m benchmarks.labels.rows_model PORT`.

The header `X-Rows` of a request says how many; without one it is one row.
"""

import argparse
import asyncio
import json
import re
from typing import cast

from benchmarks.model import ModelConnection, with_length

_ROWS = re.compile(rb"\r\nx-rows: *([0-9]+)", re.IGNORECASE)


class RowsConnection(ModelConnection):
    """Responds in V1 with the wanted number of rows."""

    def __init__(self) -> None:
        super().__init__(b"", 0.0)

    def data_received(self, data: bytes) -> None:
        """Choose the response by the head, which a proxy of this machine sends in one piece."""
        if data.startswith(b"POST"):
            wanted = _ROWS.search(data)
            grades = [{"quality": 5 + row % 3} for row in range(int(wanted[1]) if wanted else 1)]
            self._response = with_length(b"application/json", json.dumps({"predictions": grades}).encode())
        super().data_received(data)


async def _serve(port: int) -> None:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(RowsConnection, "127.0.0.1", port, backlog=1024)
    await server.serve_forever()


def main() -> None:
    """Serve until a signal stops it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.labels.rows_model", description=__doc__)
    parser.add_argument("port", type=int)
    asyncio.run(_serve(cast("int", parser.parse_args().port)))


if __name__ == "__main__":
    main()
