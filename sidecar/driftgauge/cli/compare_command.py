"""The command `compare`: a gate for pipelines, which fails if a canary is worse than the stable revision."""

import argparse
import asyncio
import re
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from http import HTTPStatus
from typing import Any, Final, TextIO

import orjson
from aiohttp import ClientError, ClientSession, ClientTimeout

from driftgauge.cli.compare_arguments import ADMIN_TOKEN, CRITERIA
from driftgauge.cli.other_process import model_address, read_token, trusting
from driftgauge.errors import ConfigError

PASSED, FAILED, CANNOT_TELL = 0, 1, 2
"""Exit codes."""

_POLL_SECONDS: Final = 10.0
_TRY_SECONDS: Final = 60.0
_MAX_REPLY_BYTES: Final = 1024 * 1024
_DURATION = re.compile(r"([0-9]{1,6})(s|m|h)")
_UNITS: Final = {"s": 1, "m": 60, "h": 3_600}

_MEASURES: Final = {
    "shift": "shift {effect:+.2f} sd",
    "odds_ratio": "odds x {effect:.2f}",
    "ratio": "x {effect:.2f}",
    "difference": "{effect:+.3f}",
    "absolute_error": "{effect:+.4g}",
}

Fetch = Callable[[], Awaitable[dict[str, Any]]]
"""Fetches the newest comparison."""


class CompareError(Exception):
    """There is no comparison. Its text is one sentence without the full stop."""


def run_compare(known: argparse.Namespace, out: TextIO, err: TextIO) -> int:
    """Watch a canary.

    Args:
        known: The parsed command line.
        out: Receives the newest comparison.
        err: Receives faults.

    Returns:
        Exit code: 0 no criterion fails, 1 one fails, 2 one cannot be judged, or there is no comparison.

    Raises:
        ConfigError: A flag cannot be used.
    """
    criteria = _criteria(known.fail_on)
    seconds = _seconds(known.wait)
    if known.min_requests < 1:
        raise ConfigError([f"min_requests: must be at least 1; it is {known.min_requests}"])
    more = {"against": known.against, "min_requests": str(known.min_requests)}
    url = model_address(known, "admin_url", "{}/compare".format, **more)
    token, context = read_token(known.token_file, ADMIN_TOKEN), trusting(known.ca_file)
    try:
        comparison = asyncio.run(_watch_url(url, token, context, criteria, seconds))
    except CompareError as error:
        err.write(f"driftgauge: compare: {error}\n")
        return CANNOT_TELL
    if known.json:
        out.write(orjson.dumps(comparison, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE).decode())
    else:
        out.writelines(f"{line}\n" for line in lines_of(comparison, criteria))
    return exit_code(comparison, criteria)


async def watch(
    fetch: Fetch,
    criteria: Sequence[str],
    seconds: float,
    *,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
) -> dict[str, Any]:
    """Fetch comparisons until one of the criteria fails, or the time is over; returns the newest one.

    Args:
        fetch: Fetches a comparison.
        criteria: Those that count.
        seconds: How long to watch; 0 for one look.
        clock: Returns the time in seconds.
        sleep: Waits for some seconds.

    Raises:
        CompareError: The last try has found none.
    """
    end = clock() + seconds
    while True:
        try:
            comparison, fault = await fetch(), None
        except CompareError as error:  # a canary that has no requests yet, or a pod that restarts
            comparison, fault = {}, error
        left = end - clock()
        if comparison and exit_code(comparison, criteria) == FAILED:
            return comparison
        if left <= 0:
            if fault is not None:
                raise fault
            return comparison
        await sleep(min(_POLL_SECONDS, left))


def exit_code(comparison: Mapping[str, Any], criteria: Sequence[str]) -> int:
    """The exit code by the criteria that count."""
    states = {one["state"] for one in comparison["criteria"] if one["criterion"] in criteria}
    if "failed" in states:
        return FAILED
    return CANNOT_TELL if states != {"ok"} else PASSED


def lines_of(comparison: Mapping[str, Any], criteria: Sequence[str]) -> list[str]:
    """The comparison for people, a line for each criterion that counts, and the verdict."""
    lines = []
    for one in comparison["criteria"]:
        if one["criterion"] in criteria:
            effect = "" if one["effect"] is None else f" ({_effect(one)})"
            lines.append(f"{one['criterion']}: {one['state'].replace('_', ' ')}{effect}: {one['reason']}")
    words = {PASSED: "does not fail", FAILED: "fails", CANNOT_TELL: "cannot be judged yet"}
    verdict = words[exit_code(comparison, criteria)]
    lines.append(f"revision {comparison['revision']} {verdict} against {comparison['against']}")
    return lines


def _effect(one: Mapping[str, Any]) -> str:
    """The effect with its interval; an end that is not known is left open."""
    text = _MEASURES[one["measure"]].format(effect=one["effect"])
    if one["lower"] is None and one["upper"] is None:
        return text
    low, high = ("..." if end is None else f"{end:.3g}" for end in (one["lower"], one["upper"]))
    return f"{text}, {low} to {high}"


async def _watch_url(
    url: str, token: str | None, context: ssl.SSLContext | None, criteria: Sequence[str], seconds: float
) -> dict[str, Any]:
    headers = {} if token is None else {"Authorization": f"Bearer {token}"}
    async with ClientSession(timeout=ClientTimeout(_TRY_SECONDS), headers=headers, trust_env=False) as session:

        async def fetch() -> dict[str, Any]:
            """Fetch the newest comparison."""
            try:
                async with session.get(url, allow_redirects=False, ssl=context or True) as response:
                    body = await response.content.read(_MAX_REPLY_BYTES)
                    return _read(response.status, body)
            except TimeoutError:
                raise CompareError(f"no reply within {_TRY_SECONDS:g} s") from None
            except (ClientError, OSError) as error:
                raise CompareError(str(error) or type(error).__name__) from None

        return await watch(fetch, criteria, seconds)


def _read(status: int, body: bytes) -> dict[str, Any]:
    """The comparison in a response.

    Raises:
        CompareError: It has none.
    """
    if status != HTTPStatus.OK:
        text = body.decode("utf-8", "replace").strip()[:500]
        raise CompareError(f"the process responded with {status}: {text}")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        value = None
    if not isinstance(value, dict) or not isinstance(value.get("criteria"), list):
        raise CompareError("the response is no comparison: is the URL that of the admin port of driftgauge?")
    return value


def _criteria(text: str) -> tuple[str, ...]:
    """The criteria that count.

    Raises:
        ConfigError: One is unknown, or there is none.
    """
    named = tuple(one.strip() for one in text.split(",") if one.strip())
    unknown = [one for one in named if one not in CRITERIA]
    if unknown or not named:
        raise ConfigError([f"fail_on: must be some of {', '.join(CRITERIA)}; it is {text!r}"])
    return named


def _seconds(text: str) -> float:
    """A duration in seconds.

    Raises:
        ConfigError: It is none.
    """
    found = _DURATION.fullmatch(text)
    if found is None:
        raise ConfigError([f"wait: must be a number with s, m or h, such as 10m; it is {text!r}"])
    return float(found[1]) * _UNITS[found[2]]
