"""Scaled services."""

from azureml._names import take

globals().update(
    take(
        AksWebservice="sendoff.sdk.aks",
        AksEndpoint="sendoff.sdk.endpoint",
        AksServiceDeploymentConfiguration="sendoff.sdk.deployment_configuration",
        AksEndpointDeploymentConfiguration="sendoff.sdk.endpoint",
        AksServiceAccessToken="sendoff.sdk.access_token",
        AutoScaler="sendoff.sdk.service_values",
        LivenessProbeRequirements="sendoff.sdk.service_values",
        DataCollection="sendoff.sdk.service_values",
    )
)
