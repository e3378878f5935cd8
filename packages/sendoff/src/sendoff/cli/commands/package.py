"""``sendoff model package``."""

from __future__ import annotations

from typing import Any

import click

from ...errors import InvalidInput
from .. import inference_flags, options, progress, records
from ..command import Command, option
from ..records import Record
from ..session import Session

_COLUMNS = (("Id", "id"), ("State", "state"), ("Location", "location"), ("Size", "size"), ("Models", "models"))
_EXAMPLE = """\
sendoff model package -m diabetes:1 --ic inferenceconfig.json --image-name diabetes --image-label 1
sendoff model package -m diabetes:1 --ic inferenceconfig.json --output-path image"""


@click.command(cls=Command, columns=_COLUMNS, example=_EXAMPLE)
@inference_flags.models
@inference_flags.flags
@option("--image-name", "--in", default=None, metavar="NAME", help="Name of the image.")
@option("--image-label", "--il", default=None, metavar="LABEL", help="Label of the image; else the time.")
@option("--output-path", default=None, metavar="DIR", help="Write the folder to build from, instead of building.")
@option("--no-wait", is_flag=True, help="Do not wait for the build.")
def package(session: Session, output_path: str | None, no_wait: bool, **flags: Any) -> Record:
    """Build an image of models, code and environment, or a folder to build one from.

    The image stays in the Docker engine, and goes to the registry that the setting image_registry names; with that
    setting no engine is needed. Run it with `docker run -p 6789:5001 IMAGE` and send requests to
    http://localhost:6789/score. With --output-path no engine is needed either.
    """
    from ...spec.package import CreatePackage, check_image

    image = {name: flags[name] for name in ("image_name", "image_label")}
    check_image(*image.values())
    if output_path is not None and no_wait:
        raise InvalidInput("--output-path and --no-wait exclude each other", hint="The folder is written at the end.")
    body = CreatePackage(
        models=options.model_ids(flags["models"], flags["model_metadata_files"]),
        inference=inference_flags.inference(session, flags),
        generate_dockerfile=output_path is not None,
        **image,
    )
    made = session.client.create_package(session.workspace, body)
    if not progress.awaited(session, made.operation, no_wait):
        return _record(made)
    made = session.client.package(session.workspace, made.id)
    assert made.result is not None
    if output_path is not None:
        from ...client import Transfer

        Transfer(session.client, session.say).get_folder(made.result.location, output_path)
        session.say(f"next: docker build -t {made.image} {output_path}")
        return {**_record(made), "outputPath": output_path}
    session.say(f"next: docker run -p 6789:5001 {made.result.location}")
    return _record(made)


def _record(view: Any) -> Record:
    record: Record = records.plain(view)
    result = record.pop("result") or {}
    del record["operation"]
    return {**record, **result, "operationId": view.operation.id}
