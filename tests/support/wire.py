"""The wire messages of tests/data/wire, and what each of them holds."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).parents[1] / "data" / "wire"


@dataclass(frozen=True)
class WireMessage:
    """One request as it stands on the wire.

    Args:
        file: Its name in the folder.
        tensors: The values of each tensor by name, nested as their shape.
        json_length: Length in bytes of the JSON part, if bytes of tensors follow.
        in_kserve: Whether KServe's Python server takes it too.
    """

    file: str
    tensors: dict[str, list[Any]] = field(hash=False)
    json_length: int | None = None
    in_kserve: bool = True

    @property
    def body(self) -> bytes:
        """Its bytes."""
        return wire_bytes(self.file)


def wire_bytes(file: str) -> bytes:
    """The bytes of a file of the folder."""
    return (_FOLDER / file).read_bytes()


MESSAGES = [
    WireMessage("v1_rows.json", {"": [[6.8, 2.8, 4.8, 1.4], [6.0, 3.4, 4.5, 1.6]]}),
    WireMessage("v1_scalars.json", {"": [1.0, 2.0, 5.0]}),
    # KServe hands a dict of scalars to pandas, which asks for an index; TensorFlow Serving takes it.
    WireMessage("v1_named_rows.json", {"hue": [1.04, 1.05], "ash": [2.43, 2.14]}, in_kserve=False),
    WireMessage("v1_named_blocks.json", {"hue": [1.04, 1.05, 1.03], "ash": [2.43, 2.14, 2.67]}),
    WireMessage("v1_named_row_lists.json", {"hue": [1.04, 1.05, 1.03], "ash": [2.43, 2.14, 2.67]}),
    WireMessage("v1_both_members.json", {"": [[1.0, 2.0]]}),
    WireMessage("v1_text.json", {"": ["red", "1.5"]}),
    WireMessage("v2_nested.json", {"input0": [[1, 2], [3, 4]]}),
    WireMessage("v2_flat.json", {"input0": [[1, 2], [3, 4]], "input1": [True, False, True]}),
    WireMessage(
        "v2_columns.json",
        {
            "hue": [[1.04], [1.05], [1.03]],
            "colour": [["red"], ["white"], ["red"]],
            "year": [9007199254740993, 1999, -1],
        },
    ),
    WireMessage("v2_binary_fp16.bin", {"input0": [[1.5, -2.0], [3.25, 4.0]]}, 108),
    WireMessage("v2_binary_fp32.bin", {"input0": [[1.5, -2.0], [3.25, 4.0]]}, 180),
    # KServe's codec has no BF16; Triton's has. 3.14 is 3.140625 on the wire, the nearest value of BF16.
    WireMessage("v2_binary_bf16.bin", {"input0": [1.0, -0.5, 3.14]}, 105, in_kserve=False),
    WireMessage(
        "v2_binary_mixed.bin",
        {
            "a": [9007199254740993, -5],
            "b": [0.5, 0.25],
            "c": [b"red", "wine é".encode()],
            "d": [[True], [False]],
            "e": [255, 0],
        },
        442,
    ),
]
"""Requests after the examples of the Open Inference Protocol, its binary extension and KServe's V1 page."""
