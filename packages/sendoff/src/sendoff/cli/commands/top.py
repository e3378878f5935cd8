"""``sendoff service top``: services of a workspace, live in the terminal."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import click

from .. import output
from ..command import Command, option
from ..records import Record
from ..session import Session
from .metrics import memory, milliseconds

if TYPE_CHECKING:
    from rich.table import Table

    from ...spec.metrics import ServiceMetrics

# Key of the record, header of the table.
_COLUMNS = (
    ("name", "Service"),
    ("state", "State"),
    ("revision", "Rev"),
    ("requestsPerSecond", "Req/s"),
    ("errorsPerSecond", "Err/s"),
    ("p50", "p50 ms"),
    ("p95", "p95 ms"),
    ("p99", "p99 ms"),
    ("queueP95", "Queue p95"),
    ("runP95", "run() p95"),
    ("waiting", "Waiting"),
    ("inFlight", "In flight"),
    ("workers", "Workers"),
    ("restarts", "Restarts"),
    ("memoryBytes", "Memory"),
)
# What a narrow terminal goes without, in this order.
_DROPPED = ("memoryBytes", "runP95", "queueP95", "p50", "restarts", "inFlight", "p99", "errorsPerSecond", "revision")
_LEFT = frozenset({"name", "state"})
_TIMES = frozenset({"p50", "p95", "p99", "queueP95", "runP95"})


@dataclass
class Watch:
    """Looks at services again and again and keeps the last look at each.

    Attributes:
        names: those that were asked for; none for all of the workspace.
    """

    session: Session
    names: tuple[str, ...] = ()
    last: dict[str, ServiceMetrics] = field(default_factory=dict)

    def look(self) -> list[Record]:
        """A record of each service: what happened since the last look, or since its start at the first."""
        from ...errors import Conflict

        client, workspace = self.session.client, self.session.workspace
        found = []
        for name in self.names or [view.name for view in client.services(workspace)]:
            try:
                found.append(self._record(client.metrics(workspace, name)))
            except Conflict as error:
                self.last.pop(name, None)
                found.append({"name": name, "state": error.context.get("state", "unknown")})
        return found

    def _record(self, now: ServiceMetrics) -> Record:
        from ...spec.metrics import since

        view = since(now, self.last.get(now.service))
        self.last[now.service] = now
        ready = now.workers.get("idle", 0) + now.workers.get("busy", 0)
        return {
            "name": now.service,
            "state": now.state,
            "revision": now.revision,
            "requestsPerSecond": view.requests_per_second,
            "errorsPerSecond": view.errors_per_second,
            "p50": view.total.p50,
            "p95": view.total.p95,
            "p99": view.total.p99,
            "queueP95": view.queue.p95,
            "runP95": view.run.p95,
            "waiting": now.waiting,
            "inFlight": now.in_flight,
            "workers": f"{ready}/{sum(now.workers.values())}",
            "restarts": now.restarts,
            "memoryBytes": now.memory_bytes,
        }


@click.command("top", cls=Command, example="sendoff service top\nsendoff service top diabetes churn --interval 5")
@click.argument("names", metavar="[NAME]...", nargs=-1)
@option("--name", "-n", "more", multiple=True, metavar="NAME", help="A name, as an option; may be given again.")
@option("--interval", type=click.FloatRange(min=0.1), default=2.0, show_default=True, metavar="SECONDS",
        help="How often to look.")  # fmt: skip
@option("--count", type=click.IntRange(min=1), default=None, metavar="N", help="End after so many looks.")
def top(
    session: Session, names: tuple[str, ...], more: tuple[str, ...], interval: float, count: int | None
) -> list[Record] | None:
    """Watch services live: rates, latencies, errors, queue and workers. Ctrl-C ends it.

    All services of the workspace when none is named. Numbers are of the time since the last look. Where the output is
    no terminal, or -o asks for another form, it looks twice, prints one table or list, and ends.
    """
    names += more
    for name in names:
        session.client.service(session.workspace, name)  # a name that is wrong is told at once
    watch = Watch(session, names)
    if sys.stdout.isatty() and session.output in (None, "table") and session.query is None:
        _live(watch, interval, count)
        return None
    watch.look()
    time.sleep(interval)
    found = watch.look()
    if session.output not in (None, "table") or session.query is not None:
        return found
    text = output.render([_cells(record) for record in found], "table")
    sys.stdout.write(f"{text or f'Workspace {session.workspace!r} has no services.'}\n")
    return None


def _live(watch: Watch, interval: float, count: int | None) -> None:
    from rich.console import Console
    from rich.live import Live

    console = Console()
    try:
        with Live(console=console, auto_refresh=False, transient=False) as live:
            looks = 0
            while True:
                live.update(_table(watch.look(), watch.session.workspace, interval, console.width), refresh=True)
                looks += 1
                if looks == count:
                    return
                time.sleep(interval)
    except KeyboardInterrupt:
        return  # the last table stays on the screen


def _fitting(rows: list[dict[str, Any]], width: int) -> list[tuple[str, str]]:
    """The columns that a terminal of a width has room for, the most telling ones first."""
    columns = list(_COLUMNS)
    for dropped in _DROPPED:
        needed = sum(
            1 + max(len(str(text)) for text in [header, *(row[header] for row in rows)]) for _, header in columns
        )
        if needed - 1 <= width:
            break
        columns = [column for column in columns if column[0] != dropped]
    return columns


def _table(found: list[Record], workspace: str, interval: float, width: int) -> Table:
    from rich.table import Table
    from rich.text import Text

    title = f"Workspace {workspace}, every {interval:g} s, {time.strftime('%H:%M:%S')}; Ctrl-C ends"
    table = Table(
        title=title, title_justify="left", box=None, padding=(0, 1, 0, 0), pad_edge=False, header_style="bold"
    )
    rows = [_cells(record) for record in found]
    columns = _fitting(rows, width)
    for key, header in columns:
        table.add_column(header, justify="left" if key in _LEFT else "right", no_wrap=True)
    for cells in rows:
        style = {"Healthy": "", "Transitioning": "yellow"}.get(str(cells["State"]), "red")
        table.add_row(*(Text(str(cells[header]), style=style if key == "state" else "") for key, header in columns))
    if not found:
        table.add_row(Text("no services"))
    return table


def _cells(record: Record) -> dict[str, Any]:
    """A record as the texts of a table's row."""
    shown: dict[str, Any] = {}
    for key, header in _COLUMNS:
        value = record.get(key)
        if key in _TIMES:
            value = milliseconds(value)
        elif key == "memoryBytes":
            value = memory(value or 0)
        elif isinstance(value, float):
            value = f"{value:.2f}"
        shown[header] = "-" if value is None else value
    return shown
