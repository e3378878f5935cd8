"""Services on this machine."""

from azureml._names import take

globals().update(
    take(
        LocalWebservice="sendoff.sdk.local",
        LocalWebserviceDeploymentConfiguration="sendoff.sdk.deployment_configuration",
    )
)
