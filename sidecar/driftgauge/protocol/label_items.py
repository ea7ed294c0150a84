"""Labels as JSON values: one object for each inference, in one of the forms of `docs/labels.md`."""

import math
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from driftgauge.errors import PayloadError
from driftgauge.inference.payload import Kind
from driftgauge.protocol.label_collector import LabelCollector
from driftgauge.protocol.label_values import Label, LabelError, read_id, read_output, read_row, read_time, read_value
from driftgauge.protocol.tensor import Tensor
from driftgauge.protocol.v2 import decode_v2, is_v2

_NO_TAIL: Final = memoryview(b"")
_ENCODINGS: Final = ("CSV", "JSON")
"""Encodings of the data of SageMaker whose texts are those of labels; BASE64 is not."""

_FORMS: Final = ("label", "labels", "outputs")


class _Head(NamedTuple):
    """What all labels of one object share."""

    id: str
    output: str | None
    time: float | None


def read_item(item: object, place: str, into: LabelCollector) -> None:
    """Read the labels of one inference.

    Args:
        item: A JSON object with `id` and one of `label`, `labels` or `outputs`; a record of SageMaker. Null is a label
            that is not known yet, and is left out.
        place: Where it is, for sentences: `item 3`.
        into: Takes the labels.

    Raises:
        PayloadError: `TOO_COMPLEX` if there are too many labels.

    Source:
        Amazon SageMaker, "Ingest Ground Truth labels and merge them with predictions"; Open Inference Protocol, REST,
        "Inference Response JSON Object".
    """
    if not isinstance(item, dict):
        into.reject(place, "it is no JSON object")
        return
    try:
        if "groundTruthData" in item:
            item = _from_sagemaker(item)
        given = item.get("id")
        own_id = read_id(into.default_id if given is None else given)
        head = _Head(own_id, read_output(item.get("output")), read_time(item.get("time")))
        form = _form_of(item)
        row = read_row(item.get("row"))
    except LabelError as error:
        into.reject(place, str(error))
        return
    if form == "label":
        _read_cell(item["label"], head, row, place, into)
    elif form == "labels":
        _read_rows(item["labels"], head, place, into)
    else:
        _read_tensors(item, head, place, into)


def _form_of(item: Mapping[str, Any]) -> str:
    """Which member has the labels.

    Raises:
        LabelError: None has, several have, or a row is given beside labels of all rows.
    """
    forms = [name for name in _FORMS if name in item]
    if len(forms) != 1:
        raise LabelError("it must have one of label, labels and outputs")
    if forms[0] != "label" and item.get("row") is not None:
        raise LabelError(f"it has a row beside {forms[0]}, which has all rows")
    if forms[0] == "outputs" and item.get("output") is not None:
        raise LabelError("it has an output beside outputs, which name their own")
    return forms[0]


def _read_rows(rows: object, head: _Head, place: str, into: LabelCollector) -> None:
    if not isinstance(rows, list):
        into.reject(place, "its labels are no list")
        return
    for row, value in enumerate(rows):
        _read_cell(value, head, row, f"{place}, row {row}", into)


def _read_cell(value: object, head: _Head, row: int, place: str, into: LabelCollector) -> None:
    """Read the label of one row, or one of each output."""
    if not isinstance(value, dict):
        _add(value, head, row, place, into)
    elif head.output is not None:
        into.reject(place, "it has an output beside labels by output")
    else:
        for name, one in value.items():
            try:
                own = head._replace(output=read_output(name))
            except LabelError as error:
                into.reject(place, str(error))
            else:
                _add(one, own, row, f"{place}, output {name!r:.40}", into)


def _add(value: object, head: _Head, row: int, place: str, into: LabelCollector) -> None:
    if value is None:
        return
    try:
        number, text = read_value(value)
    except LabelError as error:
        into.reject(place, str(error))
    else:
        into.add(Label(head.id, row, head.output, number, text, head.time))


def _read_tensors(item: Mapping[str, Any], head: _Head, place: str, into: LabelCollector) -> None:
    """Read tensors of V2: each has the labels of one output, a row each."""
    if not is_v2(item, Kind.RESPONSE):
        into.reject(place, "its outputs are no tensors of V2, each with name, datatype, shape and data")
        return
    try:
        tensors = decode_v2(item, Kind.RESPONSE, _NO_TAIL).tensors
    except PayloadError as error:
        into.reject(place, str(error))
        return
    for tensor in tensors:
        _read_tensor(tensor, head, f"{place}, output {tensor.name!r:.40}", into)


def _read_tensor(tensor: Tensor, head: _Head, place: str, into: LabelCollector) -> None:
    if tensor.data.size != tensor.rows:
        into.reject(place, f"its shape is {list(tensor.data.shape)}, and a row has one label")
        return
    try:
        own = head._replace(output=read_output(tensor.name))
    except LabelError as error:
        into.reject(place, str(error))
        return
    for row, value in enumerate(tensor.data.ravel().tolist()):
        # a null among floats has become NaN
        known = None if isinstance(value, float) and math.isnan(value) else value
        _add(known, own, row, f"{place}, row {row}", into)


def _from_sagemaker(record: Mapping[str, Any]) -> Mapping[str, Any]:
    """A record of SageMaker as an object of ours.

    Raises:
        LabelError: Its data are missing, or in an encoding that is not read.
    """
    truth, event = record["groundTruthData"], record.get("eventMetadata")
    ids = event if isinstance(event, dict) else {}
    data = truth
    if isinstance(truth, dict):
        if "data" not in truth:
            raise LabelError("its groundTruthData has no data; null is a label that is not known yet")
        encoding = truth.get("encoding")
        if encoding is not None and encoding not in _ENCODINGS:
            raise LabelError(f"its groundTruthData has another encoding than {' or '.join(_ENCODINGS)}")
        data = truth["data"]
    form = "labels" if isinstance(data, list) else "label"
    return {"id": ids.get("inferenceId") or ids.get("eventId"), form: data}
