"""``sendoff service data``: what a service has collected."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ...spec.parse import Spec
from .. import options
from ..command import Group, option, together
from ..records import Record, plain
from ..session import Session

_FILES = (
    ("Day", "day"),
    ("Designation", "designation"),
    ("Model", "model"),
    ("Version", "version"),
    ("Bytes", "size"),
    ("Where", "where"),
    ("Path", "path"),
)
_COUNTS = (
    ("Source", "source"),
    ("Offered", "offered"),
    ("Stored", "stored"),
    ("Dropped", "dropped"),
    ("Reasons", "reasons"),
)


_service = options.name("The service's name.")
_chosen = together(
    option("--designation", default="joined", show_default=True, metavar="NAME",
           help="inputs, predictions, another that was collected, or all joined by request."),
    option("--model-name", "model", default=None, metavar="NAME", help="Only of this model."),
    option("--model-version", "version", default=None, metavar="N", help="Only of this version."),
)  # fmt: skip
"""Which rows: designation, model, version."""


@click.group(cls=Group)
def data() -> None:
    """List, read, export, copy and delete what a service has collected."""


@data.command("list", columns=_FILES, example="sendoff service data list -n diabetes -o table")
@_service
def list_(session: Session, name: str) -> Sequence[Spec]:
    """List the files that a service has collected, those of a deleted one too; stderr says the counts."""
    found = session.client.service_data(session.workspace, name)
    for source, counts in (("requests", found.capture), ("collectors", found.collector)):
        if counts.offered:
            reasons = ", ".join(f"{reason} {count}" for reason, count in counts.dropped.items())
            dropped = sum(counts.dropped.values())
            session.say(
                f"{source}: {counts.offered} offered = {counts.stored} stored + {dropped} dropped"
                + (f" ({reasons})" if reasons else "")
            )
    if found.error:
        session.say(f"Trouble: {found.error}")
    if not found.files:
        session.say("Nothing was collected yet; 'sendoff service update -n NAME --md true' turns it on.")
    return found.files


@data.command("counts", columns=_COUNTS, example="sendoff service data counts -n diabetes")
@_service
def counts(session: Session, name: str) -> list[Record]:
    """Show what was offered, stored and dropped: offered is the sum of the other two, exactly; and the last write."""
    found = session.client.service_data(session.workspace, name)
    return [
        {
            "source": source,
            "offered": one.offered,
            "stored": one.stored,
            "dropped": sum(one.dropped.values()),
            "reasons": one.dropped,
            "lastWrite": plain(found)["lastWrite"],
        }
        for source, one in (("capture", found.capture), ("collector", found.collector))
    ]


@data.command("show", example="sendoff service data show -n diabetes --top 5")
@_service
@_chosen
@option("--day", default=None, metavar="YYYY-MM-DD", help="The day, in UTC; the newest if not given.")
@option("--top", type=click.IntRange(min=1), default=10, show_default=True, help="How many rows, from the first.")
def show(session: Session, name: str, day: str | None, top: int, **which: Any) -> list[Record]:
    """Show rows of one day."""
    from ...views.data_export import Selection, value_of

    selection = Selection(session.client, session.workspace, name, first=day, last=day, **which)
    page = session.client.data_rows(session.workspace, name, day=selection.days[-1], limit=top, **which)
    return [dict(zip(page.columns, map(value_of, row), strict=True)) for row in page.rows]


@data.command(
    "export", example="sendoff service data export -n diabetes --format parquet --from 2026-03-01 -f march.parquet"
)
@_service
@_chosen
@option("--format", "form", type=click.Choice(["csv", "jsonl", "parquet"]), default=None,
        help="Else what the file's name says, else csv.")  # fmt: skip
@option("--from", "first", default=None, metavar="YYYY-MM-DD", help="First day, in UTC.")
@option("--to", "last", default=None, metavar="YYYY-MM-DD", help="Last day, included.")
@option("--output-file", "-f", "target_file", required=True, metavar="FILE", help="File to write.")
def export(
    session: Session, name: str, form: str | None, first: str | None, last: str | None, target_file: str, **which: Any
) -> Record:
    """Write rows of some days to one file, inputs and predictions joined if not said otherwise."""
    from ...views.data_export import FORMATS, Selection, export

    target = Path(target_file)
    suffix = target.suffix.lstrip(".").lower()
    selection = Selection(session.client, session.workspace, name, first=first, last=last, **which)
    rows = export(selection, target, form or (suffix if suffix in FORMATS else "csv"))
    session.say(f"Wrote {rows} rows of {len(selection.days)} days to {target}.")
    return {"file": str(target), "rows": rows, "days": selection.days}


@data.command("copy", columns=_FILES, example="sendoff service data copy -n diabetes")
@_service
def copy(session: Session, name: str) -> Sequence[Spec]:
    """Copy what has changed to the store of the setting data_store now; it is done every few minutes anyway."""
    found = session.client.copy_data(session.workspace, name)
    session.say(f"{len(found.files)} files are in {found.store}.")
    return found.files


@data.command("delete", example="sendoff service data delete -n diabetes --before 2026-01-01")
@_service
@option("--before", default=None, metavar="YYYY-MM-DD", help="Only days before this one.")
@option("--all", "everything", is_flag=True, help="Everything, and the counts.")
def delete(session: Session, name: str, before: str | None, everything: bool) -> Spec:
    """Delete collected files on this machine. Copies in another store stay there."""
    from ...errors import InvalidInput

    if (before is None) == (not everything):
        raise InvalidInput("say what to delete", hint="Give --before YYYY-MM-DD, or --all.")
    gone = session.client.delete_data(session.workspace, name, before)
    session.say(f"Deleted {gone.files} files, {gone.size} bytes.")
    return gone
