"""Commands of ``az ml`` that Sendoff does not have yet: their flags are read, and the error says what to do instead."""

from __future__ import annotations

from typing import Any

import click

from ..errors import InvalidInput, NotSupported
from . import inference_flags, options
from .command import Command, option


@click.command(
    cls=Command, example="sendoff model profile -n sizing -m diabetes:1 --ic inferenceconfig.json --idi samples"
)
@options.name("Name of the profile.", required=False)
@inference_flags.models
@inference_flags.flags
@option("--input-dataset-id", "--idi", default=None, metavar="ID", help="Data set with one sample request a row.")
@option("--cpu-cores", "--cc", type=float, default=None, help="CPU cores to begin with.")
@option("--memory-in-gb", "--gb", type=float, default=None, help="Memory in GB to begin with.")
@option("--description", default="", metavar="TEXT", help="What it is for.")
# The article's sample writes `az ml model profile --i ID --add-tag K=V` where `model update` is meant.
@option("--i", "-i", "misplaced_id", default=None, hidden=True)
@option("--add-tag", "misplaced_tags", multiple=True, hidden=True)
@options.metadata_out
def profile(name: str | None, misplaced_id: str | None, misplaced_tags: tuple[str, ...], **flags: Any) -> None:
    """Measure what CPU and memory a model needs: not there yet."""
    if misplaced_tags:
        tags = " ".join(f"--add-tag {tag}" for tag in misplaced_tags)
        raise InvalidInput(
            "model profile takes no --add-tag: tags are put on the model itself",
            hint=f"sendoff model update -i {misplaced_id or 'NAME:VERSION'} {tags}",
            field="add-tag",
        )
    if name is None:
        raise InvalidInput("--name is missing: what is the profile to be called?", field="name")
    raise NotSupported(
        "profiling is not there yet",
        hint="Deploy it with --cc and --gb, send it requests and look at `sendoff service show -n NAME`.",
    )
