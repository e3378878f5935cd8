"""Services on this machine."""

from azureml._names import take

globals().update(
    take(
        LocalWebservice="sendoff.sdk.services.local",
        LocalWebserviceDeploymentConfiguration="sendoff.sdk.services.deployment_configuration",
    )
)
