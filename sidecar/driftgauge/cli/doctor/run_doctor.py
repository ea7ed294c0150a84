"""Runs the checks, each within a limit of time, and prints what they found."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import asdict
from typing import Final, Literal, TextIO

from driftgauge.cli.doctor.check_forward_urls import check_event_url, check_forward_urls
from driftgauge.cli.doctor.check_model_server import check_model_server
from driftgauge.cli.doctor.check_ports import check_ports
from driftgauge.cli.doctor.check_redis import check_redis
from driftgauge.cli.doctor.check_references import check_references
from driftgauge.cli.doctor.check_traffic import check_traffic
from driftgauge.cli.doctor.find_configuration import Situation, Sources, find_configuration
from driftgauge.cli.doctor.finding import Finding, Level, fail, has_failed
from driftgauge.cli.doctor.running_process import check_process
from driftgauge.config.options import Config, LoggerConfig, ProxyConfig

HEALTHY, FAULTY = 0, 1
"""Exit codes."""

_CHECK_SECONDS: Final = 40.0
"""Time for one check; most have shorter limits inside."""


def run_doctor(sources: Sources, output_format: Literal["text", "json"], out: TextIO) -> int:
    """Check everything, and print one line for each finding.

    Args:
        sources: Where the configuration comes from.
        output_format: Lines for people, or one JSON object.
        out: Receives the report.

    Returns:
        Exit code: 1 if something does not work, else 0; warnings change nothing.
    """
    findings = asyncio.run(examine(sources))
    if output_format == "json":
        report = {"ok": not has_failed(findings), "findings": [asdict(finding) for finding in findings]}
        out.write(json.dumps(report, indent=2) + "\n")
    else:
        out.writelines(f"{finding.level:<4}  {finding.check}: {finding.sentence}\n" for finding in findings)
        out.write(_summary(findings) + "\n")
    return FAULTY if has_failed(findings) else HEALTHY


async def examine(sources: Sources) -> list[Finding]:
    """Run the checks side by side; the findings have a fixed order."""
    situation, findings = await find_configuration(sources)
    steps = [] if situation.config is None else _steps(situation, situation.config)
    steps += _steps_of_process(situation)
    results = await asyncio.gather(*(_bounded(step) for step in steps))
    findings += [finding for result in results for finding in result]
    return findings


def _steps(situation: Situation, config: Config) -> list[Callable[[], Awaitable[list[Finding]]]]:
    """The checks that need valid options, without those whose options are not known."""
    process = situation.process

    async def ports() -> list[Finding]:
        return await asyncio.to_thread(check_ports, config, process)

    async def references() -> list[Finding]:
        return await check_references(config, process)

    async def model_server() -> list[Finding]:
        return await check_model_server(config) if isinstance(config, ProxyConfig) else []

    async def redis() -> list[Finding]:
        return await check_redis(config)

    async def forward_urls() -> list[Finding]:
        return await check_forward_urls(config) if isinstance(config, LoggerConfig) else []

    async def event_url() -> list[Finding]:
        return await check_event_url(config)

    needs: dict[Callable[[], Awaitable[list[Finding]]], set[str]] = {
        references: {"reference", "reference_dir"},
        model_server: {"upstream_url"},
        redis: {name for name in type(config).model_fields if name.startswith("redis_")},
        forward_urls: {"forward_url"},
        event_url: {"event_url"},
        ports: {"host", "port", "admin_port"},
    }
    return [check for check, options in needs.items() if not options & situation.hidden]


def _steps_of_process(situation: Situation) -> list[Callable[[], Awaitable[list[Finding]]]]:
    """The checks of what the running process says."""
    process = situation.process

    async def running_process() -> list[Finding]:
        return check_process(process, situation.admin_url)

    async def traffic() -> list[Finding]:
        return [] if process is None else check_traffic(process, situation.mode)

    return [running_process, traffic]


async def _bounded(step: Callable[[], Awaitable[list[Finding]]]) -> list[Finding]:
    name = getattr(step, "__name__", "check").replace("_", " ")
    try:
        async with asyncio.timeout(_CHECK_SECONDS):
            return await step()
    except TimeoutError:
        return [fail(name, f"no result within {_CHECK_SECONDS:g} s")]
    except Exception as error:  # noqa: BLE001 - one check must not hide what the others found
        return [fail(name, f"the check failed because of a bug in driftgauge ({type(error).__name__}: {error})")]


def _summary(findings: Sequence[Finding]) -> str:
    counts = [sum(finding.level is level for finding in findings) for level in Level]
    good, warnings, failures = counts
    return f"{good} ok, {_counted(warnings, 'warning')}, {_counted(failures, 'failure')}"


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
