"""`azureml.core`: workspaces, models, environments and services."""

from azureml._names import take

VERSION = "1.61.0"
__version__ = VERSION

globals().update(
    take(
        Workspace="sendoff.sdk.workspace",
        Model="sendoff.sdk.model",
        Dataset="sendoff.sdk.dataset",
        Datastore="sendoff.sdk.datastore",
        Environment="sendoff.sdk.environment",
        ContainerRegistry="sendoff.sdk.environment_sections",
        Webservice="sendoff.sdk.webservice",
    )
)
