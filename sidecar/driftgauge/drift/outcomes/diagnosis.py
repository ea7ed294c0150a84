"""What inputs, performance and concept say together: one sentence with what helps."""

from driftgauge.drift.result import VerdictState

OK, DRIFT, CANNOT_TELL = VerdictState.OK, VerdictState.DRIFT, VerdictState.CANNOT_TELL

_RELATION = (
    "the relation between inputs and labels changed, or the inputs went where the model never fitted it: retrain on "
    "recent labels, older ones mislead"
)

_WORSE = {
    OK: (
        "the model is wrong more often than on its reference, while neither the inputs nor the relation show a change: "
        "too few labels yet, a change within the bins of the predictions, or an alarm that is ending: wait"
    ),
    DRIFT: (
        "the inputs moved to harder cases, and the relation holds: add training data there, or retrain on the new mix"
    ),
    CANNOT_TELL: (
        "the model is wrong more often than on its reference, the relation holds, and whether the inputs moved is "
        "unknown"
    ),
}

_WELL = {
    OK: "no drop of the accuracy is proved, and no change of the relation",
    DRIFT: "the inputs moved, and no drop of the accuracy is proved: if it stays so, take a new reference",
    CANNOT_TELL: "no drop of the accuracy is proved, and no change of the relation",
}

_CHANGED = {
    OK: (
        "the relation between inputs and labels changed, while errors cancel or became fewer: recalibrate, and look at "
        "the classes"
    ),
}

_PARTLY_KNOWN = {
    (DRIFT, CANNOT_TELL): (
        "the model is wrong more often than on its reference, and whether the relation changed is unknown"
    ),
    (OK, CANNOT_TELL): "no drop of the accuracy is proved, and whether the relation changed is unknown",
    (CANNOT_TELL, OK): (
        "the relation holds, and whether the model is wrong more often than on its reference is unknown"
    ),
    (CANNOT_TELL, CANNOT_TELL): "whether the predictions are as right as on the reference is unknown",
}


def diagnose(inputs: VerdictState, performance: VerdictState, concept: VerdictState) -> str:
    """What three verdicts say together.

    Args:
        inputs: The verdict on the inputs.
        performance: Whether the model is wrong more often than on its reference.
        concept: Whether, given what the model said, the labels are what they were.

    Returns:
        A clause, without a full stop.
    """
    if concept is DRIFT:
        return _CHANGED.get(performance, _RELATION)
    if concept is OK and performance is not CANNOT_TELL:
        return (_WORSE if performance is DRIFT else _WELL)[inputs]
    return _PARTLY_KNOWN[performance, concept]
