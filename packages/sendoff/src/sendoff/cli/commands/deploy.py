"""``sendoff model deploy``."""

from __future__ import annotations

from typing import Any

import click

from ...errors import InvalidInput
from ...spec.names import service_flags
from ...spec.parse import Spec
from .. import deployment_flags, inference_flags, options, progress, records
from ..command import Command, option
from ..session import Session

_EXAMPLE = """\
sendoff model deploy -n flowers -m flowers
sendoff model deploy -n diabetes -m diabetes:1 --ic inferenceconfig.json --dc deploymentconfig.json
sendoff model deploy -n diabetes -m diabetes --es score.py --sd src --cf environment.yml --po 6789 --overwrite"""


@click.command(cls=Command, columns=records.SERVICE, example=_EXAMPLE)
# Required, but checked by hand: the article's own sample forgets it and deserves more than "missing option".
@options.name("Name of the service: 3 to 32 lower-case letters, digits and dashes.  [required]", required=False)
@inference_flags.models
@inference_flags.flags
@deployment_flags.flags
@options.tag()
@options.prop()
@option("--description", default=None, metavar="TEXT", help="What it is.")
@option("--overwrite", is_flag=True, help="Replace a service of that name.")
@option("--check", is_flag=True, help="Only check: what would fail before anything starts. Nothing is made.")
@options.no_wait
def deploy(
    session: Session,
    name: str | None,
    tags: tuple[str, ...],
    properties: tuple[str, ...],
    description: str | None,
    overwrite: bool,
    check: bool,
    no_wait: bool,
    **flags: Any,
) -> Spec:
    """Deploy models as a service and wait until it answers.

    Where and how large comes from --dc and from the flags, which override it; code and environment come from --ic
    and its flags. A model of a known framework (scikit-learn, ONNX, TensorFlow, XGBoost, LightGBM, PyTorch, MLflow)
    needs neither; --es may then name a file with preprocess() or postprocess(). When the script cannot be loaded or
    its init() raises, the traceback is printed and the exit code is 9.
    Ctrl-C stops the waiting, not the work.
    """
    from ...spec.deployment import DeploymentSpec
    from ...spec.deployment_files import load_deployment
    from ...spec.names import check_service
    from ...spec.parse import replace
    from ...spec.service import DeployService
    from ...spec.tls_files import with_tls_files
    from ..scoring import curl

    models = options.model_ids(flags["models"], flags["model_metadata_files"])
    if name is None:
        guess = models[0].partition(":")[0].lower().replace("_", "-").replace(".", "-") if models else "myservice"
        raise InvalidInput(
            "--name is missing: what is the service to be called?",
            hint=f"Add -n NAME, for example: sendoff model deploy -n {guess} …",
            field="name",
        )
    check_service(name)
    file = flags["deploy_config_file"]
    base = load_deployment(file) if file else DeploymentSpec()
    deployment = deployment_flags.overridden(base, flags)
    deployment = replace(
        deployment,
        description=deployment.description if description is None else description,
        tags={**deployment.tags, **options.pairs(tags, "--tag")},
        properties={**deployment.properties, **options.pairs(properties, "--property")},
    )
    deployment = with_tls_files(deployment)
    body = DeployService(
        name=name,
        models=models,
        inference=inference_flags.inference(session, flags),
        deployment=deployment,
        overwrite=overwrite,
        check=check,
    )
    if check:
        report = session.client.check(session.workspace, body)
        session.say(f"{name} can be deployed to {report.target}.")
        for detail in report.details if session.verbose else ():
            session.say(f"  {detail}")
        return report
    operation = session.client.deploy(session.workspace, body)
    if not progress.awaited(session, operation, no_wait):
        return operation
    service = session.client.service(session.workspace, name)
    if service.scoring_uri:
        session.say(
            f"{name} answers at {service.scoring_uri}\n"
            f"next: sendoff service run {service_flags(name, session.workspace)} -d '{{\"data\": …}}'"
        )
        if recipe := curl(service):
            session.say(recipe)
    return service
