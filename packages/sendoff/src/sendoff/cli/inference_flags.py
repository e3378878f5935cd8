"""Flags for code and environment: ``--ic`` and what overrides it (spec/surface.md sec. 7, spec/behaviour.md sec. 6)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..errors import InvalidInput, NotSupported
from .command import option, together
from .options import as_read, reading, toggle
from .session import Session

if TYPE_CHECKING:
    from ..spec.inference import InferenceSpec
    from ..spec.inference_files import InferenceFile

_OVERRIDES = {
    "entryScript": "entry_script",
    "sourceDirectory": "source_directory",
    "runtime": "runtime",
    "condaFile": "conda_file",
    "extraDockerfileSteps": "extra_docker_file_steps",
    "enableGpu": "enable_gpu",
    "cudaVersion": "cuda_version",
    "baseImage": "base_image",
    "baseImageRegistry": "base_image_registry",
}


models = together(
    option("--model", "-m", "models", multiple=True, metavar="NAME[:VERSION]",
           help="Registered model; no version means the newest. Repeat for more."),
    option("--model-metadata-file", "-f", "model_metadata_files", multiple=True, metavar="FILE",
           help="File that `model register -t` wrote, in place of -m; repeat for more."),
)  # fmt: skip
"""``-m`` and ``-f``."""

flags = together(
    option("--inference-config-file", "--ic", default=None, metavar="FILE",
           help="Inference configuration, JSON or YAML."),
    option("--entry-script", "--es", default=None, metavar="FILE", help="Script with init() and run()."),
    option("--source-directory", "--sd", default=None, metavar="DIR",
           help="Folder that holds the script; all of it goes along."),
    option("--follow-links", is_flag=True, help="Take what links in that folder lead to, also outside of it."),
    option("--environment-name", "-e", default=None, metavar="NAME", help="Registered environment."),
    option("--environment-version", "--ev", default=None, metavar="VERSION", help="With -e; else the newest."),
    option("--environment-directory", "--ed", default=None, metavar="DIR",
           help="Folder that `environment scaffold` made."),
    option("--conda-file", "--cf", default=None, metavar="FILE|DIR",
           help="What to install: conda YAML, requirements.txt, JSON environment, or a folder with one."),
    reading,
    option("--runtime", "--rt", type=click.Choice(["python", "spark-py", "python-slim"]), default=None,
           help="Old form: python is the only one that runs."),
    option("--extra-docker-file-steps", "--ds", default=None, metavar="FILE", help="Docker steps; as --bi."),
    toggle("--enable-gpu", "--eg", help="GPU image; only targets with images use it."),
    option("--cuda-version", "--cv", type=click.Choice(["9.0", "9.1", "10.0"]), default=None, help="With --eg."),
    option("--base-image", "--bi", default=None, metavar="IMAGE", help="Base image; only targets with images use it."),
    option("--base-image-registry", "--ir", default=None, metavar="ADDRESS", help="Registry of the base image."),
)  # fmt: skip
"""``--ic`` and one flag for each of its keys."""


def inference(
    session: Session, values: Mapping[str, Any], present: Callable[[], InferenceSpec] | None = None
) -> InferenceSpec | None:
    """What code and environment the flags ask for; the scoring code is put into the blob store.

    Args:
        session: Has the client.
        values: The flags, as click hands them over.
        present: Gives what a service has now, for an update: what is not given stays.

    Returns:
        None when neither ``--ic`` nor a flag of its kind was given.

    Raises:
        InvalidInput: A file is missing or wrong, or flags contradict each other.
        NotSupported: A runtime other than Python.
    """
    _refuse(values)
    named = [flag for flag in ("environment_name", "environment_directory", "conda_file") if values[flag]]
    if len(named) > 1:
        raise InvalidInput(
            f"{' and '.join('--' + flag.replace('_', '-') for flag in named)} exclude each other",
            hint="Give the environment once: -e NAME, --ed DIR or --cf FILE.",
        )
    file = values["inference_config_file"]
    _refuse_idle(values, named)
    if (
        file is None
        and not named
        and not any(values[flag] for flag in ("entry_script", "source_directory", "runtime", "as_of"))
    ):
        return None
    from ..client import Transfer
    from ..spec.environment_files import load_from_directory
    from ..spec.inference import EnvironmentReference, InferenceSpec
    from ..spec.inference_files import parse_environment
    from ..spec.parse import replace

    served = present() if present is not None else None
    kept = served.asked_for() if served is not None else None
    config: InferenceFile | None = None
    if kept is None or file or values["entry_script"] or values["source_directory"]:
        config = _configuration(file, values, kept)
        notes, spec = list(config.notes), config.environment
    else:
        notes = []
        spec = parse_environment(_given(values), where="flags", cwd=Path.cwd(), notes=notes)
    reference, stays = None, False
    if values["environment_name"]:
        reference = EnvironmentReference(name=values["environment_name"], version=values["environment_version"])
        spec = None
    elif values["environment_directory"]:
        spec = load_from_directory(values["environment_directory"], notes=notes)
    elif spec is None and config is not None:
        if Transfer.has_hooks_alone(config.entry_script, config.source_directory):
            spec, stays = kept.environment if kept is not None else None, True
        elif served is not None:
            spec, reference, stays = served.environment, served.environment_ref, True
        else:
            raise InvalidInput(
                f"{file or 'flags'}: no environment: what has to be installed for the script?",
                hint="Give --cf requirements.txt or environment.yml, -e NAME or --ed DIR, or 'environment' in the "
                "inference configuration.",
                field="environment",
            )
    if values["as_of"] and spec is None:
        raise InvalidInput(
            "--as-of needs --cf or --ed: a registered environment keeps its own",
            hint="Register it again: sendoff environment register -d … --as-of DATE.",
            field="as-of",
        )
    spec = spec and as_read(spec, dict(values))
    for note in notes:
        session.say(f"note: {note}")
    transfer = Transfer(session.client, session.say)
    if spec is not None and not stays:
        spec = transfer.put_environment(spec)
    if config is None:
        assert kept is not None
        return replace(kept, environment=spec, environment_ref=reference, no_code=None)
    source = transfer.put_source(
        config.entry_script, config.source_directory, spec, follow_links=bool(values.get("follow_links"))
    )
    return InferenceSpec(source=source, environment=spec, environment_ref=reference, description=config.description)


def _given(values: Mapping[str, Any]) -> dict[str, Any]:
    return {key: values[flag] for key, flag in _OVERRIDES.items() if values.get(flag) is not None}


def _configuration(file: str | None, values: Mapping[str, Any], kept: InferenceSpec | None) -> InferenceFile:
    """The file with the flags' values in place of its own, read as one."""
    from ..spec.inference_files import parse_inference
    from ..spec.parse import read_file
    from ..spec.values import fold

    data: Any = read_file(file, "inference configuration") if file else {}
    given = _given(values)
    if file is None and kept is not None and "entryScript" not in given:
        script = kept.source.entry_script  # in a source folder it begins with the folder's name
        given["entryScript"] = script if kept.source.source_directory is None else script.partition("/")[2]
    if isinstance(data, dict) and given:
        over = {fold(key) for key in given} | ({"environment"} if "condaFile" in given else set())
        data = {**{key: value for key, value in data.items() if fold(key) not in over}, **given}
    if file is None and "entryScript" not in given:
        raise InvalidInput(
            "--entry-script is missing: which script scores?",
            hint="Give --es score.py, or an inference configuration: --ic inferenceconfig.json.",
            field="entry-script",
        )
    folder = Path(file).parent if file else Path.cwd()
    return parse_inference(data, where=file or "flags", folder=folder, cwd=Path.cwd())


_OF_AN_ENVIRONMENT = {
    "base_image": "--base-image",
    "base_image_registry": "--base-image-registry",
    "extra_docker_file_steps": "--extra-docker-file-steps",
    "enable_gpu": "--enable-gpu",
    "cuda_version": "--cuda-version",
}
"""Flags that are part of a definition: a registered or scaffolded environment has its own."""


def _refuse_idle(values: Mapping[str, Any], named: list[str]) -> None:
    """Refuse flags that would do nothing beside the others."""
    given = [flag for name, flag in _OF_AN_ENVIRONMENT.items() if values.get(name)]
    if not given:
        return
    if values.get("cuda_version") and not values.get("enable_gpu") and values["inference_config_file"] is None:
        raise InvalidInput(
            "--cuda-version would do nothing without --enable-gpu", hint="Add --eg.", field="cuda-version"
        )
    whole = next((name for name in named if name != "conda_file"), None)
    if whole is not None:
        flag = "--" + whole.replace("_", "-")
        raise InvalidInput(
            f"{' and '.join(given)} would do nothing beside {flag}: that environment has its own",
            hint="Give --cf FILE with it; or put it into the environment (docker.baseImage and its like) and register "
            "that.",
            field=given[0].lstrip("-"),
        )
    if values["inference_config_file"] is None and not named and not values["entry_script"]:
        raise InvalidInput(
            f"{' and '.join(given)} would do nothing: a service without code gets an environment of its own",
            hint="Give --es score.py and --cf environment.yml with it.",
            field=given[0].lstrip("-"),
        )


def _refuse(values: Mapping[str, Any]) -> None:
    if values.get("runtime") == "spark-py":
        raise NotSupported("--runtime spark-py is not there: only python runs", hint="Leave --rt away.")
    if values.get("environment_version") and not values.get("environment_name"):
        raise InvalidInput(
            "--environment-version needs --environment-name", hint="Add -e NAME.", field="environment-version"
        )
