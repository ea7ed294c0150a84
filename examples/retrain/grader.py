"""The server of a trained model: `python -m examples.retrain.grader --model FILE --port PORT`.

It is the demo's model server with a model from a file. It prints the line `ready http://127.0.0.1:PORT`.
"""

import argparse
import asyncio
from pathlib import Path

import joblib

from examples.demo import forest, model_server
from examples.demo.serving import listen, stop_signals


async def serve(model: Path, port: int) -> None:
    """Serve a model until SIGTERM or SIGINT.

    Args:
        model: A file of `examples.retrain.training`; it is a pickle, so it must be one's own.
        port: Where it listens on 127.0.0.1; 0: any free port.
    """
    stopped = stop_signals()
    predict = forest.predict_with(joblib.load(model))
    await listen(model_server.application(predict), port, stopped)


def main() -> None:
    """Serve the model that the command line names."""
    parser = argparse.ArgumentParser(prog="python -m examples.retrain.grader", description=__doc__)
    parser.add_argument("--model", type=Path, required=True, help="the model's file")
    parser.add_argument("--port", type=int, default=8085, help="port on 127.0.0.1; 0: any free port (default: 8085)")
    chosen = parser.parse_args()
    asyncio.run(serve(chosen.model, chosen.port))


if __name__ == "__main__":
    main()
