"""``sendoff run`` and ``sendoff experiment``: what training scripts logged and kept."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from ...sdk.runs import run_process
from ...spec import run as spec
from ...spec.parse import Spec
from .. import options, records
from ..command import Group, option, together
from ..records import Record
from ..session import Session
from .cloud import refused

EXPERIMENTS = (("Name", "name"), ("Id", "id"), ("Created", "createdTime"), ("Tags", "tags"))
RUNS = (("Id", "id"), ("Experiment", "experiment"), ("Number", "number"), ("Status", "status"),
        ("Created", "createdTime"), ("Tags", "tags"))  # fmt: skip
_LOG = "azureml-logs/70_driver_log.txt"
_SUBMIT = "Submit it from Python: Experiment(ws, name).submit(ScriptRunConfig(source_directory, script))."


@click.group(cls=Group)
def experiment() -> None:
    """List experiments."""


@experiment.command("list", columns=EXPERIMENTS, example="sendoff experiment list -o table")
@options.metadata_out
def list_experiments(session: Session) -> Sequence[Spec]:
    """List experiments, newest first."""
    return session.client.experiments(session.workspace)


@click.group(cls=Group)
def run() -> None:
    """Look at runs, what they logged and the files they keep."""


_run = option("--run", "-r", "run_id", required=True, metavar="ID", help="The run's id.")
_EXPERIMENT: dict[str, Any] = {"metavar": "NAME", "help": "Its experiment; not needed."}
_experiment = options.ignored("--experiment-name", "-e", **_EXPERIMENT)
_one = together(_run, _experiment, options.metadata_out)


@run.command("list", columns=RUNS, example="sendoff run list -e first --last 5")
@option("--experiment-name", "-e", default=None, **_EXPERIMENT)
@option("--last", type=int, default=None, help="So many of the newest.")
@option("--minimal", is_flag=True, help="Only id, status and experiment.")
@option(
    "--parent-run-id",
    "--pipeline-run-id",
    "parent_run_id",
    default=None,
    metavar="ID",
    help="Only the children of this run.",
)
@option("--status", default=None, metavar="TEXT", help="Only runs in this state.")
@option("--tags", default=None, metavar="KEY[=VALUE]", help="Only runs with this tag.")
@option("--compute-target-name", default=None, metavar="NAME", help="Only runs that were submitted to this target.")
@options.metadata_out
def list_runs(
    session: Session,
    experiment_name: str | None,
    last: int | None,
    minimal: bool,
    parent_run_id: str | None,
    status: str | None,
    tags: str | None,
    compute_target_name: str | None,
) -> list[spec.Run] | list[Record]:
    """List runs, newest first."""
    views = session.client.runs(session.workspace, experiment=experiment_name, parent=parent_run_id)
    key, equals, value = (tags or "").partition("=")
    found = [
        view
        for view in views
        if (status is None or view.status.lower() == status.lower())
        and (not key or (key in view.tags and (not equals or view.tags[key] == value)))
        and (compute_target_name is None or view.details.get("target") == compute_target_name)
    ][:last]
    if minimal:
        return [{"id": view.id, "status": view.status, "experiment": view.experiment} for view in found]
    return found


@run.command("show", columns=(*RUNS, ("Metrics", "metrics"), ("Files", "files"), ("Error", "error")),
             example="sendoff run show -r ID")  # fmt: skip
@_one
def show(session: Session, run_id: str) -> Record:
    """Show one run: what it logged, and the files it keeps."""
    client, workspace = session.client, session.workspace
    files = [file.path for file in client.run_files(workspace, run_id)]
    record: Record = records.plain(client.get_run(workspace, run_id))
    return {**record, "metrics": client.run_metrics(workspace, run_id), "files": files}


@run.command("cancel", columns=RUNS, example="sendoff run cancel -r ID")
@_one
def cancel(session: Session, run_id: str) -> Spec:
    """End a run, with the process of a submitted script."""
    view = session.client.get_run(session.workspace, run_id)
    if view.status not in spec.FINAL:
        view = session.client.update_run(session.workspace, run_id, spec.UpdateRun(status=spec.CANCELED))
        if run_process.KEY in view.details and not run_process.end(view.details):
            session.say("Its process is gone already, or runs on another machine.")
    return view


@run.command("update", columns=RUNS, example="sendoff run update -r ID --add-tag good=yes")
@_run
@_experiment
@option("--add-tag", multiple=True, metavar="KEY=VALUE", help="Tag to put on it; repeat for more.")
@options.metadata_out
def update(session: Session, run_id: str, add_tag: tuple[str, ...]) -> Spec:
    """Put tags on a run, or change their values."""
    body = spec.UpdateRun(add_tags=options.pairs(add_tag, "--add-tag"))
    return session.client.update_run(session.workspace, run_id, body)


@run.command("download-logs", example="sendoff run download-logs -r ID -d logs")
@_run
@option("--output-dir", "-d", required=True, metavar="DIR", help="Where to.")
@_experiment
@options.metadata_out
def download_logs(session: Session, run_id: str, output_dir: str) -> list[str]:
    """Fetch a run's logs and print their paths."""
    from ...client import Transfer

    files = [
        file
        for file in session.client.run_files(session.workspace, run_id)
        if file.path.startswith(("azureml-logs/", "logs/", "user_logs/"))
    ]
    if files:
        Transfer(session.client, session.say).get(files, Path(output_dir), exist_ok=True)
    return [str(Path(output_dir) / file.path) for file in files]


@run.command("monitor-logs", example="sendoff run monitor-logs -r ID")
@_one
def monitor_logs(session: Session, run_id: str) -> None:
    """Print what a submitted script prints, until it ends."""
    at = 0
    while True:
        view = session.client.get_run(session.workspace, run_id)
        log = Path(str(view.details.get("folder", ""))) / "log"
        if log.is_file():
            text = log.read_bytes()
            click.echo(text[at:], nl=False)
            at = len(text)
        elif view.status in spec.FINAL and at == 0:
            _print_kept(session, run_id)
        if view.status in spec.FINAL:
            session.say(f"Run {run_id}: {view.status}")
            return
        time.sleep(0.3)


def _print_kept(session: Session, run_id: str) -> None:
    import tempfile

    from ...client import Transfer

    kept = [file for file in session.client.run_files(session.workspace, run_id) if file.path == _LOG]
    if kept:
        with tempfile.TemporaryDirectory() as folder:
            Transfer(session.client).get(kept, folder)
            click.echo((Path(folder) / _LOG).read_bytes(), nl=False)


for _name, _what in (
    ("submit-script", "Run a script"),
    ("submit-pipeline", "Run a pipeline"),
    ("submit-hyperdrive", "Search hyperparameters"),
):
    run.add_command(refused(f"run {_name}", _what, _SUBMIT))
run.add_command(refused("run monitor-tensorboard", "TensorBoard of a run", "Run tensorboard --logdir on its files."))
