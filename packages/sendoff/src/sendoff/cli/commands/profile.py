"""``sendoff model profile`` and what shows its results."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ...errors import InvalidInput
from .. import inference_flags, options, progress, records
from ..command import Command, Group, option
from ..records import Record
from ..session import Session

if TYPE_CHECKING:
    from ...spec.model import Model
    from ...spec.profile import Profile

_EXAMPLE = """\
sendoff model profile -n sizing -m diabetes:1 --ic inferenceconfig.json --idi samples -t profile.json
sendoff model profile -n sizing -m images:2 --ic inferenceconfig.json --input-folder pictures --chart sizing.png
sendoff model deploy -n diabetes -m diabetes:1 --ic inferenceconfig.json --pi profile.json"""
_COLUMNS = (
    ("Name", "name"),
    ("State", "state"),
    ("Models", "modelIds"),
    ("CPU", "recommendedCpu"),
    ("Memory GB", "recommendedMemoryInGB"),
    ("Workers", "recommendedWorkers"),
    ("At once", "recommendedConcurrency"),
    ("Requests/s", "measuredQueriesPerSecond"),
    ("p99 ms", "latencyPercentile99InMs"),
    ("Created", "createdTime"),
)


_chart = option("--chart", default=None, metavar="FILE", help="Also write a chart, PNG; needs sendoff-ml[profile].")


@click.command("profile", cls=Command, columns=_COLUMNS, example=_EXAMPLE)
@options.name("Name of the profile; the newest of a name counts.  [required]", required=False)
@inference_flags.models
@inference_flags.flags
@option("--input-dataset-id", "--idi", "dataset", default=None, metavar="ID",
        help="Dataset, by id or name: each row of its one column is a request body.")  # fmt: skip
@option("--input-file", default=None, metavar="FILE", help="One request body, binary or text.")
@option("--input-folder", default=None, metavar="DIR", help="Folder of request bodies, a file each.")
@option("--input-data", "-d", default=None, metavar="TEXT", help="One request body as text; @FILE reads it.")
@option(
    "--cpu-cores", "--cc", "cpu", type=float, default=None, help="The most CPU cores to try; else what is here, or 3.5."
)
@option("--memory-in-gb", "--gb", type=float, default=None, help="Memory limit in GB; else none while measuring.")
@option("--target", default=None, metavar="TARGET",
        help="Where to measure; else in a container where an engine answers. Only containers keep limits.")  # fmt: skip
@option("--add-tag", "add_tags", multiple=True, metavar="KEY[=VALUE]",
        help="Tag to put on the models at the end; without a value, the detail of that name.")  # fmt: skip
@_chart
@option("--description", default="", metavar="TEXT", help="What it is for.")
@options.no_wait
# The article's sample writes `az ml model profile --i ID --add-tag K=V` where `model update` is meant.
@option("--i", "-i", "model_id", default=None, hidden=True)
@options.metadata_out
def profile(
    session: Session,
    name: str | None,
    add_tags: tuple[str, ...],
    chart: str | None,
    no_wait: bool,
    model_id: str | None,
    **flags: Any,
) -> Record | Model:
    """Measure what CPU, memory, workers and concurrency a model needs.

    The real service runs under load at several sizes, on docker with these limits in force, and is gone afterwards.
    Each size is loaded with more and more requests at once until that brings no more. The result is kept; `model
    deploy --pi FILE` takes what is recommended from the file that -t writes.
    """
    from ...spec.profile import CreateProfile, check_profile

    if name is None and model_id is not None and add_tags:
        session.metadata_file = None
        return _tag_only(session, model_id, add_tags)
    if name is None:
        raise InvalidInput("--name is missing: what is the profile to be called?", hint="Add -n NAME.", field="name")
    bodies = _bodies(session, flags["input_file"], flags["input_folder"], flags["input_data"])
    body = CreateProfile(
        name=name,
        models=options.model_ids([*flags["models"], *([model_id] if model_id else [])], flags["model_metadata_files"]),
        bodies=bodies,
        **{field: flags[field] for field in ("dataset", "cpu", "memory_in_gb", "target", "description")},
        add_tags=options.filters(add_tags) or {},
    )
    check_profile(body)
    if chart is not None:
        _check_chart(chart)
    from ...spec.parse import replace

    body = replace(body, inference=inference_flags.inference(session, flags))
    made = session.client.create_profile(session.workspace, body)
    if not progress.awaited(session, made.operation, no_wait):
        session.metadata_file = None  # nothing was measured yet
        return _record(made)
    made = session.client.profile(session.workspace, made.id)
    _show(session, made, chart)
    if session.metadata_file:
        session.say(f"next: sendoff model deploy -n NAME … --pi {session.metadata_file}")
    return _record(made)


@click.group(cls=Group)
def profiles() -> None:
    """Look at what models were measured to need."""


@profiles.command("list", columns=_COLUMNS, example="sendoff profile list -m diabetes")
@option("--model", "-m", default=None, metavar="NAME[:VERSION]", help="Only those of this model.")
def list_(session: Session, model: str | None) -> list[Record]:
    """List profiles, newest first."""
    return [_record(view) for view in session.client.profiles(session.workspace, model=model)]


@profiles.command("show", columns=_COLUMNS, example="sendoff profile show -n sizing --chart sizing.png")
@options.name("Its name, or its id.")
@_chart
@options.metadata_out
def show(session: Session, name: str, chart: str | None) -> Record:
    """Show a profile: its table with bars, and the recommendation with its reasons."""
    found = session.client.profile(session.workspace, name)
    if found.result is not None and found.result.sizes:
        _show(session, found, chart)
    return _record(found)


def recommended(path: str, *, local: bool) -> dict[str, Any]:
    """What ``--pi FILE`` gives a deployment: fields of its specification.

    Args:
        path: What ``-t`` wrote.
        local: A local service limits neither CPU nor memory, and takes the workers alone.

    Raises:
        InvalidInput: The file is no profile's, or the profile recommends nothing.
    """
    from ...spec.parse import read_file
    from ...spec.values import as_float, as_int

    data = read_file(path, "profile file")
    if not isinstance(data, dict) or "recommendedCpu" not in data:
        raise InvalidInput(
            f"profile file {path} recommends nothing",
            hint="`sendoff model profile … -t FILE` writes one when it has succeeded.",
            where=path,
        )
    memory = data.get("recommendedMemoryInGB", data.get("recommendedMemoryInGb"))
    found: dict[str, Any] = (
        {}
        if local
        else {
            "cpu_cores": as_float(data["recommendedCpu"], path, "recommendedCpu"),
            "memory_gb": as_float(memory, path, "recommendedMemoryInGB"),
        }
    )
    if data.get("recommendedWorkers") is not None:
        found["workers"] = as_int(data["recommendedWorkers"], path, "recommendedWorkers")
    return found


def _record(view: Profile) -> Record:
    from ...spec.profile import details_of

    record: Record = {
        "id": view.id,
        **details_of(view),
        "description": view.description,
        "modelIds": list(view.models),
        "inputDatasetId": view.dataset,
        "error": records.plain(view.error),
        "operationId": view.operation.id,
    }
    if view.result is not None:
        record |= {
            "environment": view.result.environment,
            "target": view.result.target,
            "limitsKept": view.result.limits_kept,
            "sizes": records.plain(view.result.sizes),
        }
    return record


def _show(session: Session, view: Profile, chart: str | None) -> None:
    from rich.console import Console

    from ...views.chart import drawn, save_png

    if not session.quiet:
        Console(stderr=True, width=None if session.rich_stderr else 150, highlight=False).print(drawn(view))
    if chart is not None:
        session.say(f"chart: {save_png(view, chart)}")


def _check_chart(chart: str) -> None:
    """A chart that could not be drawn is no news for after the measuring."""
    import importlib.util

    from ...errors import MissingExtra

    if importlib.util.find_spec("matplotlib") is None:
        raise MissingExtra("a chart needs matplotlib", hint="pip install 'sendoff-ml[profile]'", package="matplotlib")
    if not Path(chart).absolute().parent.is_dir():
        raise InvalidInput(f"chart {chart}: its folder does not exist", field="chart")


def _bodies(session: Session, file: str | None, folder: str | None, data: str | None) -> Any:
    given = [flag for flag, value in (("--input-file", file), ("--input-folder", folder), ("-d", data)) if value]
    if len(given) > 1:
        raise InvalidInput(f"{' and '.join(given)} exclude each other", hint="Give one of them.")
    if not given:
        return []
    from ...client import Transfer
    from ...client.sources import local_files

    transfer = Transfer(session.client, session.say)
    if data is not None and not data.startswith("@"):
        return [transfer.put_bytes("body.json", data.encode())]
    path = file or folder or str(data)[1:]
    if folder is not None and not Path(folder).is_dir():
        raise InvalidInput(
            f"--input-folder {folder} is no folder", hint=f"Looked in {Path.cwd()}.", field="input-folder"
        )
    if folder is None and not Path(path).is_file():
        raise InvalidInput(f"{given[0]} {path} is no file", hint=f"Looked in {Path.cwd()}.", field="input-file")
    return transfer.put_files(local_files(path))


def _tag_only(session: Session, model_id: str, tags: Sequence[str]) -> Model:
    """The article's ``model profile --i ID --add-tag …`` measures nothing: it is `model update`."""
    from ...spec.model import UpdateModel

    session.say(f"note: this only puts tags on the model, as `sendoff model update -i {model_id} --add-tag …` does.")
    body = UpdateModel(add_tags=options.pairs(tags, "--add-tag"))
    return session.client.update_model(session.workspace, model_id, body)
