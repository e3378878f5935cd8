"""``sendoff model``: register, find, change and fetch models. Deploying them is in ``deploy``."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any

import click

from ...errors import InvalidInput
from .. import options, records
from ..command import Group, option, together
from ..records import Record
from ..session import Session

if TYPE_CHECKING:
    from ...spec.model import ManifestFile, Model, ModelSummary

_FRAMEWORKS = (
    *("TensorFlow", "ScikitLearn", "Onnx", "Custom", "Multi"),
    *("LightGBM", "MLflow", "PyTorch", "TfKeras", "XGBoost"),
)
_LAZY = {
    "deploy": ("deploy:deploy", "Deploy models as a service and wait until it answers."),
    "package": ("package:package", "Build an image, or a folder to build one from."),
    "profile": ("profile:profile", "Measure what CPU, memory, workers and concurrency a model needs."),
}


@click.group(cls=Group, lazy=_LAZY)
def model() -> None:
    """Register, find, download and deploy models."""


_version = option("--model-id", "-i", "--id", "model_id", required=True, metavar="NAME:VERSION", help="Its id.")
_resources = together(
    option("--cpu-cores", "--cc", type=float, default=None, help="CPU cores that a deployment of it needs."),
    option("--memory-gb", "--gb", type=float, default=None, help="Memory in GB that a deployment of it needs."),
    option("--gpu-cores", "--gc", type=int, default=None, help="GPUs that a deployment of it needs."),
    option("--sample-input-dataset-id", default=None, metavar="ID", help="Data set with sample inputs."),
    option("--sample-output-dataset-id", default=None, metavar="ID", help="Data set with sample outputs."),
)


def _kept(
    session: Session, name: str, asset_path: str | None, run_id: str | None, experiment: str | None
) -> tuple[list[ManifestFile], str]:
    """The files of a run at a path, and the run's experiment."""
    from ...spec.run import model_files

    if asset_path is None:
        raise InvalidInput(
            "--model-path is missing: which file or folder is to be registered?",
            hint=f"sendoff model register -n {name} -p PATH",
            field="model-path",
        )
    if run_id is None:
        raise InvalidInput(
            "--asset-path names a file that a run keeps, and --run-id is missing",
            hint=f"sendoff model register -n {name} --asset-path {asset_path} --run-id ID  (`sendoff run list`); "
            "for a file on this machine: -p PATH",
            field="run-id",
        )
    run = session.client.get_run(session.workspace, run_id)
    if experiment is not None and experiment != run.experiment:
        raise InvalidInput(
            f"run {run_id!r} belongs to experiment {run.experiment!r}, not to {experiment!r}",
            hint=f"Give --experiment-name {run.experiment}, or leave it away.",
            field="experiment-name",
        )
    return model_files(session.client.run_files(session.workspace, run_id), asset_path), run.experiment


def _needs(given: dict[str, Any]) -> dict[str, Any]:
    """The fields of a body that the flags of ``_resources`` say."""
    cpu, memory, gpu = (given.pop(flag) for flag in ("cpu_cores", "memory_gb", "gpu_cores"))
    if (cpu, memory, gpu) == (None, None, None):
        return given
    from ...spec.model import ResourceConfiguration

    return {**given, "resource_configuration": ResourceConfiguration(cpu=cpu, memory_in_gb=memory, gpu=gpu)}


@model.command(
    "register",
    columns=records.MODELS,
    example="sendoff model register -n diabetes -p outputs/model.pkl --tag area=health -t model.json",
)
@options.name("Its name; a name that is there gets the next version.")
@option("--model-path", "-p", default=None, metavar="PATH", help="File or folder on this machine.")
@option("--follow-links", is_flag=True, help="Take what links in that folder lead to, also outside of it.")
@option("--asset-path", default=None, metavar="PATH", help="File or folder that the run of --run-id keeps.")
@option("--experiment-name", default=None, metavar="NAME", help="Experiment that made it, kept with it.")
@option("--run-id", "-r", default=None, metavar="ID", help="Run that made it, kept with it.")
@option("--run-metadata-file", "-f", default=None, metavar="FILE", help="JSON file with runId and experimentName.")
@option("--description", "-d", default="", metavar="TEXT", help="What it is.")
@option("--model-framework", "framework", type=click.Choice(_FRAMEWORKS, case_sensitive=False), default=None,
        help="Its framework; what the files are, where that is certain, else Custom.")  # fmt: skip
@option("--model-framework-version", "framework_version", default=None, metavar="VERSION",
        help="Its framework's version.")  # fmt: skip
@_resources
@options.tag()
@options.prop()
@options.metadata_out
def register(
    session: Session,
    name: str,
    model_path: str | None,
    asset_path: str | None,
    experiment_name: str | None,
    run_id: str | None,
    run_metadata_file: str | None,
    tags: tuple[str, ...],
    properties: tuple[str, ...],
    framework: str | None,
    follow_links: bool,
    **given: Any,
) -> Model:
    """Register a file or folder as the next version of a model.

    The files are copied into the store; equal files are stored once. Pickles are scanned and the verdict is shown.
    With --asset-path and --run-id they are files that a recorded run keeps: nothing is copied.
    """
    from ...client import Transfer
    from ...spec.model import RegisterModel
    from ...spec.names import check_model

    if run_metadata_file:
        run_id = run_id or options.read_metadata(run_metadata_file, "runId")
        experiment_name = experiment_name or options.read_metadata(run_metadata_file, "experimentName")
    if model_path is not None and asset_path is not None:
        raise InvalidInput(
            "--model-path and --asset-path exclude each other",
            hint="--model-path is a file on this machine, --asset-path one that the run of --run-id keeps.",
            field="asset-path",
        )
    check_model(name)
    given_tags, given_properties = options.pairs(tags, "--tag"), options.pairs(properties, "--property")
    workspace = session.workspace
    if model_path is not None:
        files = Transfer(session.client, session.say).put_model(model_path, follow_links=follow_links)
    else:
        files, experiment_name = _kept(session, name, asset_path, run_id, experiment_name)
    body = RegisterModel(
        name=name,
        files=files,
        framework=framework,
        tags=given_tags,
        properties=given_properties,
        experiment_name=experiment_name,
        run_id=run_id,
        python_version=platform.python_version(),
        **_needs(given),
    )
    view = session.client.register_model(workspace, body)
    if session.metadata_file:
        session.metadata = records.model_metadata(view, workspace, options.resource_group(session))
    told = framework is None and view.framework != "Custom"
    session.say(f"Registered {view.id}" + (f" as {view.framework}, which its file is." if told else "."))
    if view.scan.verdict in ("unknown", "dangerous", "unreadable"):
        found = ", ".join(sorted({f.imported for f in view.scan.findings if f.verdict != "safe"})) or view.scan.detail
        session.say(f"note: the scan of its pickle says {view.scan.verdict}: {found}. Load only what you trust.")
    return view


@model.command("list", columns=records.MODELS, example='sendoff model list -n diabetes -l --query "[0].id" -o tsv')
@option("--model-name", "-n", "--name", "name", default=None, metavar="NAME", help="Only versions of this model.")
@option("--latest", "-l", is_flag=True, help="Only the newest version of each.")
@options.filtering
@option("--run-id", default=None, metavar="ID", help="Only those that this run made.")
@option("--dataset-id", default=None, metavar="ID", help="Only those that were made with this data set.")
def list_(
    session: Session, tags: tuple[str, ...], properties: tuple[str, ...], dataset_id: str | None, **which: Any
) -> list[ModelSummary]:
    """List models, newest first."""
    found = session.client.models(
        session.workspace, tags=options.filters(tags), properties=options.filters(properties), **which
    )
    if dataset_id:
        found = [view for view in found if any(dataset.id == dataset_id for dataset in view.datasets)]
    if not (found or tags or properties or dataset_id or any(which.values())):
        session.nothing_here("sendoff model list", session.client.models)
    return found


@model.command("show", columns=records.MODELS, example="sendoff model show -i diabetes:1")
@option("--model-id", "-i", "--id", "model_id", default=None, metavar="NAME[:VERSION]", help="Its id.")
@option(
    "--model-name", "-n", "--name", "model_name", default=None, metavar="NAME", help="Its name; the newest version."
)
@option("--version", type=int, default=None, help="With --model-name: this version.")
@option("--run-id", default=None, metavar="ID", help="The newest that this run made.")
def show(
    session: Session, model_id: str | None, model_name: str | None, version: int | None, run_id: str | None
) -> Model:
    """Show one model version."""
    if model_id is None and model_name is not None and run_id is None:
        model_id = f"{model_name}:{version}" if version is not None else model_name
    if model_id is not None:
        return session.client.model(session.workspace, model_id)
    if run_id is None:
        raise click.UsageError(
            "one of --model-id, --model-name and --run-id is needed", ctx=click.get_current_context()
        )
    found = session.client.models(session.workspace, name=model_name, run_id=run_id)
    if not found:
        from ...errors import ModelNotFound

        raise ModelNotFound(f"no model of run {run_id!r}", hint="sendoff model list shows what is there.")
    newest = max(found, key=lambda view: view.created_time)
    return session.client.model(session.workspace, newest.id)


@model.command("update", columns=records.MODELS, example="sendoff model update -i diabetes:1 --add-tag stage=prod")
@_version
@options.changing
@option("--description", default=None, metavar="TEXT", help="New description.")
@option("--model-framework", "framework", type=click.Choice(_FRAMEWORKS, case_sensitive=False), default=None,
        help="Another framework; the version is what the files state, where none is given.")  # fmt: skip
@option("--model-framework-version", "framework_version", default=None, metavar="VERSION",
        help="Its framework's version.")  # fmt: skip
@_resources
def update(session: Session, model_id: str, **given: Any) -> Model:
    """Change tags, description, framework and resources of a model version, and add properties."""
    from ...spec.model import UpdateModel

    needed = _needs(given)
    words = {name: needed.pop(name) for name in ("description", "framework", "framework_version")}
    resources = {name: needed.pop(name) for name in ("resource_configuration",) if name in needed}
    body = UpdateModel(**words, **resources, **options.changes(needed))
    return session.client.update_model(session.workspace, model_id, body)


@model.command("download", example="sendoff model download -i diabetes:1 -t model_folder")
@option("--model-id", "-i", "--id", "model_id", required=True, metavar="NAME[:VERSION]", help="Its id.")
@option("--target-dir", "-t", required=True, metavar="DIR", help="Folder to write into; made when it is not there.")
@option("--overwrite", is_flag=True, help="Replace files that are there.")
def download(session: Session, model_id: str, target_dir: str, overwrite: bool) -> Record:
    """Write a model's files into a folder; every byte is checked against its digest."""
    from ...client import Transfer

    view = session.client.model(session.workspace, model_id)
    path = Transfer(session.client, session.say).get(view.files, target_dir, exist_ok=overwrite)
    session.say(f"Downloaded {view.id} to {path}.")
    return {"id": view.id, "path": str(path)}


@model.command("delete", example="sendoff model delete -i diabetes:1")
@_version
@options.yes
def delete(session: Session, model_id: str) -> None:
    """Delete one version of a model, unless a service uses it."""
    session.client.delete_model(session.workspace, model_id)
    session.say(f"Deleted model {model_id}.")
