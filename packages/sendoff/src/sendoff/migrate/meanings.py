"""What runs here but means something else than it did: one sentence each, by ``Class.member`` or parameter."""

from __future__ import annotations

_HERE = "stands for this machine; nothing is provisioned"
_KEPT = "taken, and has no effect here"
_CLUSTER = "the name is kept; services run on this machine, and the timeline says so"
_TOKEN = "the store is this machine's, or SENDOFF_TOKEN is sent"

MEMBERS: dict[str, str] = {
    "AciWebservice.deploy_configuration": "a container where an engine answers, else processes on this machine",
    "AksWebservice.deploy_configuration": "as ACI, until a Kubernetes target is attached; the timeline says so",
    "ComputeTarget.create": _HERE,
    "ComputeTarget.attach": _CLUSTER,
    "AksCompute.provisioning_configuration": _HERE,
    "AksCompute.attach_configuration": _CLUSTER,
    "AmlCompute.provisioning_configuration": _HERE,
    "Experiment.submit": "the script runs on this machine, with the interpreter that submits it",
    "Workspace.create": "makes a workspace in the local store; the cloud's own parameters do nothing",
    "Workspace.from_config": "an unknown workspace is made in the local store, and that is said",
    "Webservice.deploy_from_image": "works for an image that Image.create gave in the same script",
    "Image.create": "nothing is built before the image is deployed",
    "ContainerImage.image_configuration": "becomes an inference configuration",
    "Datastore.get_default": "a datastore in Sendoff's blob store",
    "Workspace.get_default_datastore": "a datastore in Sendoff's blob store",
    "Workspace.get_mlflow_tracking_uri": "a folder beside the store; there is no tracking server",
    "Keyvault.set_secret": "kept encrypted in the local store",
    "Pipeline": "can be described; submitting and publishing are not supported",
    "Environment.from_docker_image": "the image is used by targets that run containers",
    "Environment.from_existing_conda_environment": "exported with the conda of this machine",
    "InteractiveLoginAuthentication": f"nobody is asked anything: {_TOKEN}",
    "ServicePrincipalAuthentication": f"taken and not sent anywhere: {_TOKEN}",
    "AzureCliAuthentication": f"not looked at: {_TOKEN}",
    "MsiAuthentication": f"not looked at: {_TOKEN}",
}

PARAMETERS: dict[str, str] = {
    "dns_name_label": _KEPT,
    "vnet_name": _KEPT,
    "subnet_name": _KEPT,
    "cmk_vault_base_url": _KEPT,
    "cmk_key_name": _KEPT,
    "cmk_key_version": _KEPT,
    "blobfuse_enabled": _KEPT,
    "autoscale_enabled": "kept; one machine does not scale out",
    "num_replicas": "kept; one machine does not scale out",
    "gpu_cores": "kept; the machine's GPUs are visible as they are",
    "namespace": "kept; there is no cluster yet",
}

MODULES: dict[str, str] = {
    "sklearn.externals.joblib": "the worker answers it where scikit-learn has it not",
}

ENTRY_SCRIPT_NEEDS_RAWHTTP = (
    "run() uses its argument as a request (.{}) without @rawhttp: it would get text; "
    "add 'from azureml.contrib.services.aml_request import rawhttp' and @rawhttp above run()"
)
