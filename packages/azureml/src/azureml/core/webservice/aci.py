"""Container instances."""

from azureml._names import take

globals().update(
    take(
        AciWebservice="sendoff.sdk.services.aci",
        AciServiceDeploymentConfiguration="sendoff.sdk.services.deployment_configuration",
        EncryptionProperties="sendoff.sdk.services.values",
        VnetConfiguration="sendoff.sdk.services.values",
    )
)
