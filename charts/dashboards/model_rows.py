"""The rows on what was compared: the rows of the windows, their missing values, and the references in use."""

from grafana_foundation_sdk.models.dashboard import Panel

from charts.dashboards.board import Row
from charts.dashboards.columns import INPUTS
from charts.dashboards.panels import graph, grid, number
from charts.dashboards.promql import MODEL, highest, lowest, rate, selected, total
from charts.dashboards.queries import Query
from charts.dashboards.style import FULL, GREEN, ORANGE, QUARTER, RED, THIRD, Text
from charts.dashboards.units import ROWS_PER_SECOND, SHARE, count, per_second


def rows() -> Row:
    """Make the row on the rows that pass, and on values that they lack."""
    stored = Text("Rows", "Feature rows a second that were stored.", ROWS_PER_SECOND)
    missing = Text(
        "Missing values",
        "Values a second that were null, NaN or absent, by feature. They are left out of D, and their share has "
        "its own test: a feature that is suddenly missing is a fault of its source.",
        per_second("values"),
    )
    outcomes = Text(
        "Request payloads by outcome",
        "Request payloads a second: accepted, sampled out, dropped or rejected, and why. Rejected for wrong_width "
        "or wrong_type: clients and the reference disagree on the features.",
        per_second("payloads"),
    )
    by_state = Text(
        "Columns by state",
        "Features: with a verdict (tested), without one (untested), left out such as dates and identifiers "
        "(ignored), and with series here (shown): at most `max_features`, the most severe first. The rest is tested.",
        count("features"),
    )
    missing_share = Text(
        "Change of the missing share",
        "Difference between the shares of missing values in window and reference, where either has any.",
        SHARE,
    )
    ratio = Text(
        "Sample ratio",
        "Share of the inferences that are read, in the process that reads the least. It is lower than `sample_ratio` "
        "while more come than can be read: hours of much traffic then have a smaller share of the rows.",
        SHARE,
    )
    by_outcome = total(rate("driftgauge_payloads_total", 'kind="request"'), "outcome, reason")
    missed = total(rate("driftgauge_missing_values_total", 'feature=~"$feature"'), INPUTS.by)
    share = INPUTS.worst("drift_statistic", 'test="missing"')
    features = highest(selected("driftgauge_features"), "state")
    return Row(
        "Rows and missing values",
        (
            graph(stored, Query(total(rate("driftgauge_rows_total")), "{{model_name}} {{revision}}"), width=THIRD),
            graph(missing, Query(missed, "{{feature}}"), width=THIRD),
            graph(outcomes, Query(f"{by_outcome} > 0", "{{outcome}} {{reason}}"), width=THIRD),
            graph(missing_share, Query(share, INPUTS.legend), width=THIRD),
            graph(by_state, Query(features, "{{state}}"), width=THIRD),
            graph(
                ratio,
                Query(lowest(selected("driftgauge_sample_ratio")), "{{model_name}} {{revision}}"),
                width=THIRD,
                limits=(0, 1),
            ),
        ),
    )


def references() -> Row:
    """Make the row on windows and references: how many rows they have, and which files are in use."""
    window = Text("Window", "Rows of the newest window. Below `min_rows` there is no verdict.", count("rows"))
    reference = Text("Reference", "Rows of the reference; 0 means no reference, and nothing is tested.", count("rows"))
    needed = Text(
        "Reference rows needed",
        "Rows at which the reference's error is no larger than a window's, if it has fewer: until then small changes "
        "stay unseen. 0: it has enough.",
        count("rows"),
    )
    responses = Text("Responses", "Rows of the newest window of responses.", count("rows"))
    compared = Text("Rows compared with", "Rows of the reference or the baseline; 0 without either.", count("rows"))
    present = (None, RED), (1, GREEN)
    return Row(
        "Windows and references",
        (
            number(window, f"max({selected('driftgauge_window_rows')})"),
            number(reference, f"min({selected('driftgauge_reference_rows')})", present),
            number(
                needed,
                f"max({selected('driftgauge_reference_rows_needed')})",
                ((None, GREEN), (1, ORANGE)),
            ),
            number(responses, f"max({selected('driftgauge_prediction_window_rows')})", width=QUARTER),
            number(compared, f"min({selected('driftgauge_prediction_reference_rows')})", present, width=QUARTER),
            _in_use(),
            _compared_with(),
        ),
    )


def _in_use() -> Panel:
    text = Text(
        "Reference in use",
        "Which file each process compares with: its path, the SHA-256 of its content and when it was loaded (UTC). "
        "More than one hash: not all replicas have loaded the newest file yet.",
        count("processes"),
    )
    return _files(text, "driftgauge_reference_info", {"path": "Path", "hash": "SHA-256", "loaded": "Loaded"})


def _compared_with() -> Panel:
    text = Text(
        "Predictions are compared with",
        "The reference's own predictions, or a baseline of the first responses since the reference was loaded. A "
        "baseline shows changes since then, not since training.",
        count("processes"),
    )
    headings = {"source": "Source", "path": "Path", "hash": "Hash", "loaded": "Since"}
    return _files(text, "driftgauge_prediction_reference_info", headings)


def _files(text: Text, family: str, headings: dict[str, str]) -> Panel:
    """A table of files, with the number of processes that use each."""
    model = {
        "cluster": "Cluster",
        "inference_service_namespace": "Namespace",
        "inference_service": "InferenceService",
        "component": "",
        "model_name": "Model",
        "revision": "Revision",
    }
    processes = f"count by ({MODEL}, {', '.join(headings)}) ({selected(family)})"
    return grid(text, {"Processes": Query(processes)}, model | headings, {}, width=FULL)
