"""The service."""

from azureml._names import take

globals().update(
    take(
        Webservice="sendoff.sdk.webservice",
        WebserviceDeploymentConfiguration="sendoff.sdk.deployment_configuration",
        ContainerResourceRequirements="sendoff.sdk.service_values",
        WebserviceException="sendoff.sdk.exceptions",
    )
)
