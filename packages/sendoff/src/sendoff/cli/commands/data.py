"""``sendoff service data``: what a service has collected."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from .. import options
from ..command import Command, Group, option, pass_session
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


def chosen(function: Any) -> Any:
    """Which rows: designation, model, version."""
    for made in (
        option("--model-version", "version", default=None, metavar="N", help="Only of this version."),
        option("--model-name", "model", default=None, metavar="NAME", help="Only of this model."),
        option("--designation", default="joined", show_default=True, metavar="NAME",
               help="inputs, predictions, another that was collected, or all joined by request."),
    ):  # fmt: skip
        function = made(function)
    return function


@click.group(cls=Group)
def data() -> None:
    """List, read, export, copy and delete what a service has collected."""


@data.command("list", cls=Command, columns=_FILES, example="sendoff service data list -n diabetes -o table")
@options.name("The service's name.")
@pass_session
def list_(session: Session, name: str) -> list[Record]:
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
    return [dict(plain(one)) for one in found.files]


@data.command("counts", cls=Command, columns=_COUNTS, example="sendoff service data counts -n diabetes")
@options.name("The service's name.")
@pass_session
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


@data.command("show", cls=Command, example="sendoff service data show -n diabetes --top 5")
@options.name("The service's name.")
@chosen
@option("--day", default=None, metavar="YYYY-MM-DD", help="The day, in UTC; the newest if not given.")
@option("--top", type=click.IntRange(min=1), default=10, show_default=True, help="How many rows, from the first.")
@pass_session
def show(
    session: Session, name: str, designation: str, model: str | None, version: str | None, day: str | None, top: int
) -> list[Record]:
    """Show rows of one day."""
    from ...views.data_export import Selection, value_of

    selection = Selection(
        session.client,
        session.workspace,
        name,
        designation=designation,
        model=model,
        version=version,
        first=day,
        last=day,
    )
    page = session.client.data_rows(
        session.workspace,
        name,
        day=selection.days[-1],
        designation=designation,
        model=model,
        version=version,
        limit=top,
    )
    return [dict(zip(page.columns, map(value_of, row), strict=True)) for row in page.rows]


@data.command(
    "export",
    cls=Command,
    example="sendoff service data export -n diabetes --format parquet --from 2026-03-01 -f march.parquet",
)
@options.name("The service's name.")
@chosen
@option("--format", "form", type=click.Choice(["csv", "jsonl", "parquet"]), default=None,
        help="Else what the file's name says, else csv.")  # fmt: skip
@option("--from", "first", default=None, metavar="YYYY-MM-DD", help="First day, in UTC.")
@option("--to", "last", default=None, metavar="YYYY-MM-DD", help="Last day, included.")
@option("--output-file", "-f", "target_file", required=True, metavar="FILE", help="File to write.")
@pass_session
def export(
    session: Session,
    name: str,
    designation: str,
    model: str | None,
    version: str | None,
    form: str | None,
    first: str | None,
    last: str | None,
    target_file: str,
) -> Record:
    """Write rows of some days to one file, inputs and predictions joined if not said otherwise."""
    from ...views.data_export import FORMATS, Selection, export

    target = Path(target_file)
    suffix = target.suffix.lstrip(".").lower()
    selection = Selection(
        session.client,
        session.workspace,
        name,
        designation=designation,
        model=model,
        version=version,
        first=first,
        last=last,
    )
    rows = export(selection, target, form or (suffix if suffix in FORMATS else "csv"))
    session.say(f"Wrote {rows} rows of {len(selection.days)} days to {target}.")
    return {"file": str(target), "rows": rows, "days": selection.days}


@data.command("copy", cls=Command, columns=_FILES, example="sendoff service data copy -n diabetes")
@options.name("The service's name.")
@pass_session
def copy(session: Session, name: str) -> list[Record]:
    """Copy what has changed to the store of the setting data_store now; it is done every few minutes anyway."""
    found = session.client.copy_data(session.workspace, name)
    session.say(f"{len(found.files)} files are in {found.store}.")
    return [dict(plain(one)) for one in found.files]


@data.command("delete", cls=Command, example="sendoff service data delete -n diabetes --before 2026-01-01")
@options.name("The service's name.")
@option("--before", default=None, metavar="YYYY-MM-DD", help="Only days before this one.")
@option("--all", "everything", is_flag=True, help="Everything, and the counts.")
@pass_session
def delete(session: Session, name: str, before: str | None, everything: bool) -> Record:
    """Delete collected files on this machine. Copies in another store stay there."""
    from ...errors import InvalidInput

    if (before is None) == (not everything):
        raise InvalidInput("say what to delete", hint="Give --before YYYY-MM-DD, or --all.")
    gone = session.client.delete_data(session.workspace, name, before)
    session.say(f"Deleted {gone.files} files, {gone.size} bytes.")
    return dict(plain(gone))
