"""`azureml.core`: workspaces, models, environments, services, runs and computes."""

from azureml._names import take

VERSION = "1.61.0"
__version__ = VERSION

globals().update(
    take(
        Workspace="sendoff.sdk.workspace",
        Experiment="sendoff.sdk.runs.experiment",
        Run="sendoff.sdk.runs.run",
        Model="sendoff.sdk.model",
        Webservice="sendoff.sdk.services.webservice",
        Image="sendoff.sdk.services.images",
        Dataset="sendoff.sdk.data.dataset",
        Datastore="sendoff.sdk.data.datastore",
        Environment="sendoff.sdk.environments.environment",
        ContainerRegistry="sendoff.sdk.environments.sections",
        ComputeTarget="sendoff.sdk.compute.target",
        RunConfiguration="sendoff.sdk.runs.configuration",
        ScriptRunConfig="sendoff.sdk.runs.configuration",
        ScriptRun="sendoff.sdk.absent",
        Keyvault="sendoff.sdk.keyvault",
        LinkedService="sendoff.sdk.absent",
        PrivateEndPoint="sendoff.sdk.absent",
        PrivateEndPointConfig="sendoff.sdk.absent",
        get_run="sendoff.sdk.runs.run",
        is_compute_target_prepared="sendoff.sdk.absent",
        prepare_compute_target="sendoff.sdk.absent",
        attach_legacy_compute_target="sendoff.sdk.absent",
        remove_legacy_compute_target="sendoff.sdk.absent",
    )
)
