"""Flags for code and environment: ``--ic`` and what overrides it (spec/surface.md sec. 7, spec/behaviour.md sec. 6)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import click

from ..errors import InvalidInput, NotSupported
from .command import option
from .options import toggle
from .session import Session

if TYPE_CHECKING:
    from ..spec.inference import InferenceSpec


def models(function: Any) -> Any:
    """``-m`` and ``-f``."""
    files = option(
        "--model-metadata-file", "-f", "model_metadata_files", multiple=True, metavar="FILE",
        help="File that `model register -t` wrote, in place of -m; repeat for more.",
    )  # fmt: skip
    ids = option(
        "--model", "-m", "models", multiple=True, metavar="NAME[:VERSION]",
        help="Registered model; no version means the newest. Repeat for more.",
    )  # fmt: skip
    return ids(files(function))


def flags(function: Any) -> Any:
    """``--ic`` and one flag for each of its keys."""
    for decorate in (
        option("--base-image-registry", "--ir", default=None, metavar="ADDRESS", help="Registry of the base image."),
        option("--base-image", "--bi", default=None, metavar="IMAGE",
               help="Base image; only targets with images use it."),
        option("--cuda-version", "--cv", type=click.Choice(["9.0", "9.1", "10.0"]), default=None, help="With --eg."),
        toggle("--enable-gpu", "--eg", help="GPU image; only targets with images use it."),
        option("--extra-docker-file-steps", "--ds", default=None, metavar="FILE", help="Docker steps; as --bi."),
        option("--runtime", "--rt", type=click.Choice(["python", "spark-py", "python-slim"]), default=None,
               help="Old form: python is the only one that runs."),
        option("--conda-file", "--cf", default=None, metavar="FILE",
               help="Conda YAML, pip requirements or JSON environment."),
        option("--environment-directory", "--ed", default=None, metavar="DIR",
               help="Folder that `environment scaffold` made."),
        option("--environment-version", "--ev", default=None, metavar="VERSION", help="With -e; else the newest."),
        option("--environment-name", "-e", default=None, metavar="NAME", help="Registered environment."),
        option("--source-directory", "--sd", default=None, metavar="DIR",
               help="Folder that holds the script; all of it goes along."),
        option("--entry-script", "--es", default=None, metavar="FILE", help="Script with init() and run()."),
        option("--inference-config-file", "--ic", default=None, metavar="FILE",
               help="Inference configuration, JSON or YAML."),
    ):  # fmt: skip
        function = decorate(function)
    return function


def inference(session: Session, values: Mapping[str, Any]) -> InferenceSpec | None:
    """What code and environment the flags ask for; the scoring code is put into the blob store.

    Returns:
        None when neither ``--ic`` nor a flag of its kind was given.

    Raises:
        InvalidInput: A file is missing or wrong, or flags contradict each other.
        NotSupported: A runtime other than Python.
    """

    _refuse(values)
    file = values["inference_config_file"]
    entry, folder = values["entry_script"], values["source_directory"]
    named = [flag for flag in ("environment_name", "environment_directory", "conda_file") if values[flag]]
    if len(named) > 1:
        raise InvalidInput(
            f"{' and '.join('--' + flag.replace('_', '-') for flag in named)} exclude each other",
            hint="Give the environment once: -e NAME, --ed DIR or --cf FILE.",
        )
    if file is None and entry is None:
        if folder or named:
            raise InvalidInput(
                "--entry-script is missing: which script scores?",
                hint="Give --es score.py, or an inference configuration: --ic inferenceconfig.json.",
                field="entry-script",
            )
        return None
    notes: list[str] = []
    raise NotImplementedError


def _refuse(values: Mapping[str, Any]) -> None:
    if values.get("runtime") not in (None, "python", "python-slim"):
        raise NotSupported(f"--runtime {values['runtime']}: only python runs", hint="Leave --rt away.")
    if values.get("environment_version") and not values.get("environment_name"):
        raise InvalidInput(
            "--environment-version needs --environment-name", hint="Add -e NAME.", field="environment-version"
        )
