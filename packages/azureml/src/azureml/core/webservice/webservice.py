"""The service."""

from azureml._names import take

globals().update(
    take(
        Webservice="sendoff.sdk.services.webservice",
        WebserviceDeploymentConfiguration="sendoff.sdk.services.deployment_configuration",
        ContainerResourceRequirements="sendoff.sdk.services.values",
        WebserviceException="sendoff.sdk.exceptions",
    )
)
