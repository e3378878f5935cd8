"""Scaled services."""

from azureml._names import take

globals().update(
    take(
        AksWebservice="sendoff.sdk.services.aks",
        AksEndpoint="sendoff.sdk.services.endpoint",
        AksServiceDeploymentConfiguration="sendoff.sdk.services.deployment_configuration",
        AksEndpointDeploymentConfiguration="sendoff.sdk.services.endpoint",
        AksServiceAccessToken="sendoff.sdk.services.access_token",
        AutoScaler="sendoff.sdk.services.values",
        LivenessProbeRequirements="sendoff.sdk.services.values",
        DataCollection="sendoff.sdk.services.values",
    )
)
