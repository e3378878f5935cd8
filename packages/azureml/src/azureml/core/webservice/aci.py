"""Container instances."""

from azureml._names import take

globals().update(
    take(
        AciWebservice="sendoff.sdk.aci",
        AciServiceDeploymentConfiguration="sendoff.sdk.deployment_configuration",
        EncryptionProperties="sendoff.sdk.service_values",
        VnetConfiguration="sendoff.sdk.service_values",
    )
)
