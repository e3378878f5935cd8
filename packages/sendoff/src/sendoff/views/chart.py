"""A profile's chart: as PNG with matplotlib, on a terminal with rich."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from ..errors import Conflict, InvalidInput, MissingExtra
from ..spec.profile import Profile, ProfileResult, Size

if TYPE_CHECKING:
    from rich.console import RenderableType

_BAR = 18


def save_png(profile: Profile, path: Path | str) -> Path:
    """Draw rate and latency over requests at once, a line a size, and write it.

    Raises:
        Conflict: The profile has no result.
        MissingExtra: matplotlib is not installed.
        InvalidInput: The file cannot be written.
    """
    result = _result(profile)
    try:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure
    except ImportError:
        raise MissingExtra(
            "a chart needs matplotlib", hint="pip install 'sendoff-ml[profile]'", package="matplotlib"
        ) from None
    figure = Figure(figsize=(11, 4.5), layout="constrained")
    FigureCanvasAgg(figure)
    rate, latency = figure.subplots(1, 2)
    for size in result.sizes:
        loads = [level.concurrency for level in size.levels]
        (line,) = rate.plot(loads, [level.rps for level in size.levels], marker="o", label=size_name(size))
        rate.plot([size.knee], [size.at_knee.rps], marker="D", markersize=11, color=line.get_color(), fillstyle="none")
        latency.plot(loads, [level.total.p95 for level in size.levels], marker="o", color=line.get_color())
        latency.plot(loads, [level.run.p95 for level in size.levels], linestyle=":", marker=".", color=line.get_color())
    rate.set(title="Requests per second (diamond: knee)", xlabel="requests at once", xscale="log", ylim=(0, None))
    latency.set(title="Latency p95, ms (dotted: in run())", xlabel="requests at once", xscale="log", yscale="log")
    loads = sorted({level.concurrency for size in result.sizes for level in size.levels})
    for axes in (rate, latency):
        axes.set_xticks(loads, [str(load) for load in loads])
        axes.minorticks_off()
        axes.grid(visible=True, alpha=0.3)
    rate.legend()
    figure.suptitle(f"{profile.name}: {', '.join(profile.models) or 'no model'} on {result.target}")
    target = Path(path)
    try:
        figure.savefig(target, format="png", dpi=110)
    except OSError as error:
        raise InvalidInput(f"chart {target} cannot be written: {error.strerror}", where=str(target)) from None
    return target


def drawn(profile: Profile) -> RenderableType:
    """The table of all loads with bars for their rates, and the recommendation below it."""
    from rich.console import Group
    from rich.table import Table
    from rich.text import Text

    result = _result(profile)
    table = Table(title=f"{profile.name} on {result.target}", title_justify="left", show_edge=False, pad_edge=False)
    heads = ("size", "load", "req/s", "", "p50", "p95", "p99", "queue p95", "run p95", "CPU", "MB", "errors")
    for name in heads:
        table.add_column(name, justify="left" if name in ("size", "") else "right", no_wrap=True)
    best = max((level.rps for size in result.sizes for level in size.levels), default=1.0) or 1.0
    for size in result.sizes:
        beside = [
            size_name(size),
            f"ready in {size.start_seconds:.1f} s",
            f"first answer {size.first_answer_ms:.0f} ms",
        ]
        for level in size.levels:
            table.add_row(
                beside.pop(0) if beside else "",
                str(level.concurrency),
                f"{level.rps:,.1f}",
                Text(
                    "█" * max(1, round(level.rps / best * _BAR)),
                    style="green" if level.concurrency == size.knee else "blue",
                ),
                *(f"{ms:.1f}" for ms in (level.total.p50, level.total.p95, level.total.p99)),
                f"{level.queue.p95:.1f}",
                f"{level.run.p95:.1f}",
                f"{level.cpu:.2f}",
                f"{level.memory_mb:.0f}",
                str(level.errors or ""),
            )
        for line in beside:
            table.add_row(line)
        table.add_section()
    lines = [
        Text(
            f"Load: requests at once. Times in ms. Green: each size's knee. {result.bodies} request bodies.",
            style="dim",
        )
    ]
    found = result.recommendation
    if found is not None:
        lines.append(
            Text(
                f"\nRecommended: {found.cpu:g} CPU, {found.memory_gb:g} GB, {found.workers} "
                f"worker{'s' if found.workers > 1 else ''}, {found.concurrency} at once",
                style="bold",
            )
        )
        lines += [Text(f"  {reason}") for reason in found.reasons]
    return Group(table, *lines)


def size_name(size: Size) -> str:
    """A size in few words."""
    workers = f"{size.workers} worker{'s' if size.workers > 1 else ''}"
    return workers if size.cpu is None else f"{size.cpu:g} CPU, {workers}"


def _result(profile: Profile) -> ProfileResult:
    if profile.result is None or not profile.result.sizes:
        raise Conflict(f"profile {profile.name!r} has no result: it is {profile.state}", hint="Wait for its end.")
    return profile.result
