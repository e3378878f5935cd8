"""``sendoff service metrics``: what a service counts, in one look."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING, Any

import click

from .. import output
from ..command import Command, option
from ..records import Record, plain
from ..session import Session

if TYPE_CHECKING:
    from ...spec.metrics import Latency, ServiceMetrics


@click.command(
    "metrics", cls=Command, example="sendoff service metrics diabetes\nsendoff service metrics diabetes --prometheus"
)
@click.argument("service", metavar="NAME", required=False)
@option("--name", "-n", default=None, metavar="NAME", help="Its name, as an option.")
@option("--interval", type=click.FloatRange(min=0.0), default=1.0, show_default=True, metavar="SECONDS",
        help="Look twice, so far apart, for the rates of this moment; 0 looks once.")  # fmt: skip
@option("--prometheus", is_flag=True, help="Print what the server exposes, in the text format of Prometheus.")
def metrics(
    session: Session, service: str | None, name: str | None, interval: float, prometheus: bool
) -> Record | None:
    """Show rates, latencies, errors, queue and workers of a service.

    Times are milliseconds; percentiles are taken from histograms, so they are as exact as their buckets. Counts begin
    with the service's server, which an update does not end on the process target and replaces on the docker target.
    """
    from ...spec.metrics import since

    chosen = service or name
    if chosen is None:
        raise click.UsageError("NAME is missing: which service? `sendoff service list` shows them.")
    first = session.client.metrics(session.workspace, chosen)
    if prometheus:
        sys.stdout.write(first.text)
        return None
    whole = first
    if interval:
        time.sleep(interval)
        whole = session.client.metrics(session.workspace, chosen)
    now = since(whole, first) if interval else None
    if session.query is None and (session.output == "table" or (session.output is None and sys.stdout.isatty())):
        sys.stdout.write(_page(whole, now) + "\n")
        return None
    record = _record(whole)
    record["now"] = None if now is None else {key: _record(now)[key] for key in _MOVING}
    return record


_MOVING = ("seconds", "requests", "errors", "requestsPerSecond", "errorsPerSecond", "outcomes", "total", "queue", "run")


def _record(view: ServiceMetrics) -> Record:
    record: Record = plain(view)
    del record["text"]
    for part in ("total", "queue", "run"):
        del record[part]["buckets"], record[part]["sum"]
    return record


def _page(whole: ServiceMetrics, now: ServiceMetrics | None) -> str:
    """The tables that a person reads."""
    revision = f", revision {whole.revision}" if whole.revision is not None else ""
    blocks = [f"{whole.service}: {whole.state}{revision}, counting for {age(whole.seconds)}"]
    looks = [("Since the start", whole), *([(f"Last {now.seconds:.3g} s", now)] if now is not None else [])]
    rates = [
        {
            "": label,
            "Requests": view.requests,
            "Requests/s": f"{view.requests_per_second:.2f}",
            "Errors": view.errors,
            "Errors/s": f"{view.errors_per_second:.2f}",
        }
        for label, view in looks
    ]
    blocks.append(output.render(rates, "table"))
    latencies: list[dict[str, Any]] = []
    for label, view in looks:
        for part, latency in (("queue", view.queue), ("run()", view.run), ("total", view.total)):
            latencies.append({"Latency in ms": f"{label}: {part}", **_times(latency)})
    blocks.append(output.render(latencies, "table"))
    wrong = [
        {"Code": outcome.code, "Reason": outcome.reason, "Requests": outcome.count}
        for outcome in sorted(whole.outcomes, key=lambda outcome: -outcome.count)
        if outcome.reason != "ok" or outcome.code >= 400
    ]
    blocks.append(output.render(wrong, "table") if wrong else "No errors.")
    workers = ", ".join(f"{count} {state}" for state, count in whole.workers.items() if count) or "none"
    facts = {
        "Workers": f"{workers}; {whole.restarts} restarts",
        "In flight": f"{whole.in_flight}, of them waiting {whole.waiting}",
        "Connections": whole.connections,
        "Rows": whole.rows,
        "Memory of workers": memory(whole.memory_bytes),
    }
    blocks.append(output.render(facts, "table"))
    return "\n\n".join(blocks)


def _times(latency: Latency) -> dict[str, str]:
    names = {"Mean": "mean", "p50": "p50", "p90": "p90", "p95": "p95", "p99": "p99", "Max": "max"}
    return {title: milliseconds(getattr(latency, name)) for title, name in names.items()}


def milliseconds(value: float | None) -> str:
    """A duration for a cell; "-" where nothing was counted."""
    return "-" if value is None else f"{value:.3g}" if value < 100 else f"{value:.0f}"


def memory(number: int) -> str:
    """Bytes for a cell."""
    return "-" if not number else f"{number / 1e6:.0f} MB"


def age(seconds: float) -> str:
    """A span of time for people."""
    whole = int(seconds)
    if whole < 120:
        return f"{whole} s"
    if whole < 7200:
        return f"{whole // 60} min"
    return f"{whole // 3600} h {whole % 3600 // 60} min" if whole < 172_800 else f"{whole // 86_400} days"
