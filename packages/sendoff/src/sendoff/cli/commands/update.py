"""``sendoff service update``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from .. import deployment_flags, inference_flags, options, progress, records
from ..command import Command, option
from ..session import Session

if TYPE_CHECKING:
    from ...spec.operation import Operation
    from ...spec.service import Service


@click.command(
    cls=Command,
    columns=records.SERVICE,
    example="sendoff service update -n diabetes -m diabetes:2 --add-tag stage=prod",
)
@options.name("Its name.")
@inference_flags.models
@inference_flags.flags
@deployment_flags.flags
@options.changing
@option("--description", "-d", default=None, metavar="TEXT", help="New description.")
@options.no_wait
def update(session: Session, name: str, description: str | None, no_wait: bool, **flags: Any) -> Operation | Service:
    """Change a service without dropping a request.

    What is not given stays. New models, code, environment or sizes make a new revision, whose workers are ready before
    the old ones end; `sendoff service rollback` returns. When the new revision fails, the old one goes on answering.
    """
    from ...spec.deployment import DeploymentSpec
    from ...spec.deployment_files import load_deployment
    from ...spec.service import UpdateService
    from ...spec.tls_files import with_tls_files

    models = options.model_ids(flags["models"], flags["model_metadata_files"])
    deployment = None
    given = deployment_flags.given(flags)
    if flags["deploy_config_file"]:
        deployment = deployment_flags.overridden(load_deployment(flags["deploy_config_file"]), flags)
    elif given:
        base = DeploymentSpec()
        if any("." in field for field in given):
            # A part goes over the wire whole: what the flags do not say of it stays as it is.
            present = session.client.service(session.workspace, name).deployment
            base = DeploymentSpec(
                autoscaler=present.autoscaler,
                liveness_probe=present.liveness_probe,
                data_collection=present.data_collection,
                collect_model_data=present.collect_model_data,
            )
        deployment = deployment_flags.overridden(base, flags)
    if deployment is not None:
        deployment = with_tls_files(deployment)
    body = UpdateService(
        models=models or None,
        inference=inference_flags.inference(
            session, flags, lambda: session.client.service_inference(session.workspace, name)
        ),
        deployment=deployment,
        description=description,
        **options.changes(flags),
    )
    answer = session.client.update_service(session.workspace, name, body)
    return progress.settled(session, name, answer, no_wait)
