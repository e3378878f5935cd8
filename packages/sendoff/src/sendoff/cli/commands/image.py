"""``sendoff image``: what is in a container image."""

from __future__ import annotations

import threading

import click

from .. import records
from ..command import Group
from ..records import Record
from ..session import Session

_SLOW = 2.0
"""Seconds until a line says what takes so long."""
_COLUMNS = (
    ("Id", "id"),
    ("Size", "size"),
    ("User", "user"),
    ("Layers", "layers[].madeBy"),
    ("Packages", "packages[].name"),
    ("Biggest", "biggest[].path"),
)


@click.group(cls=Group)
def image() -> None:
    """Look into container images."""


@image.command("inspect", columns=_COLUMNS, example="sendoff image inspect diabetes:1 -o json")
@click.argument("name", metavar="IMAGE")
def inspect(session: Session, name: str) -> Record:
    """Show what is in an image of the engine: its layers, packages, labels and the ten biggest files."""
    slow = threading.Timer(_SLOW, session.say, [f"Reading all of {name}, since it does not say what is in it …"])
    slow.daemon = True
    slow.start()
    try:
        view = session.client.inspect_image(name)
    finally:
        slow.cancel()
    record: Record = records.plain(view)
    record["layers"] = [
        {"diffId": one["diff_id"], "madeBy": one["made_by"], "size": one["size"], "files": one["files"]}
        for one in view.layers
    ]
    return record
