"""What `Model.deploy` and `update` are given, as the API takes it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ...spec.compute import AKS as AKS_CLUSTER
from ...spec.compute import KUBERNETES
from ...spec.deployment import AKS, DeploymentSpec
from ...spec.parse import replace
from ...spec.service import DeployService
from ...spec.tls_files import with_tls_files
from ..saying import say

if TYPE_CHECKING:
    from ..workspace import Workspace
    from .deployment_configuration import WebserviceDeploymentConfiguration
    from .inference_config import InferenceConfig
    from .webservice import Webservice


def deploy(
    workspace: Workspace,
    name: str,
    models: Any,
    inference_config: InferenceConfig | None,
    deployment_config: WebserviceDeploymentConfiguration | None,
    deployment_target: Any,
    overwrite: bool,
    show_output: bool = False,
) -> Webservice:
    """Start a deployment and return its service at once; see `Model.deploy`."""
    body = DeployService(
        name=name,
        models=[registered(workspace, one) for one in listed(models)],
        inference=inference_config._spec(workspace, say if show_output else None) if inference_config else None,
        deployment=deployment_spec(deployment_config, deployment_target),
        overwrite=overwrite,
    )
    operation = workspace._client.deploy(workspace.name, body)
    service = workspace._webservice(name)
    service._operation_id = operation.id
    if show_output:
        say(f"Deploying service {name}: operation {operation.id}")
    return service


def listed(models: Any) -> list[Any]:
    """One model, or several, as a list."""
    return [models] if _is_model(models) or isinstance(models, str | os.PathLike) else [*(models or ())]


def registered(workspace: Workspace, one: Any) -> str:
    """A model's id; a local path is registered first, under its own name."""
    if _is_model(one):
        return str(one.id)
    path = Path(one)
    if path.exists() and (path.is_absolute() or os.sep in str(one) or path.suffix):
        name = path.resolve().name if path.is_dir() else path.stem
        return workspace._registered(str(path), name).id
    return str(one)


def _is_model(one: Any) -> bool:
    return hasattr(one, "id") and hasattr(one, "version")


def deployment_spec(config: WebserviceDeploymentConfiguration | None, target: Any) -> DeploymentSpec:
    """The configuration, with the cluster's name when one is given."""
    made = with_tls_files(config._spec()) if config is not None else DeploymentSpec()
    if target is None:
        return made
    if config is None and getattr(target, "type", None) in (AKS_CLUSTER, KUBERNETES):
        made = replace(made, compute_type=AKS)
    return replace(made, compute_target_name=str(getattr(target, "name", target)))


def print_configuration(
    models: list[Any],
    inference_config: InferenceConfig | None,
    deployment_config: WebserviceDeploymentConfiguration | None,
    deployment_target: Any,
) -> None:
    """Print what a deployment would take."""
    say(f"Models: {', '.join(str(getattr(one, 'id', one)) for one in models) or 'none'}")
    if inference_config is not None:
        say(f"Entry script: {inference_config.entry_script}")
        say(f"Source directory: {inference_config.source_directory or 'none, the script goes alone'}")
        environment = inference_config.environment
        say(f"Environment: {environment.name if environment else inference_config.conda_file or 'default'}")
    if deployment_config is not None:
        deployment_config.print_deploy_configuration()
    if deployment_target is not None:
        say(f"Deployment target: {getattr(deployment_target, 'name', deployment_target)}")
