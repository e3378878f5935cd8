"""AKS clusters."""

from azureml._names import take

globals().update(
    take(
        AksCompute="sendoff.sdk.compute.aks",
        AksProvisioningConfiguration="sendoff.sdk.compute.aks",
        AksAttachConfiguration="sendoff.sdk.compute.aks",
        AksUpdateConfiguration="sendoff.sdk.compute.aks",
        SslConfiguration="sendoff.sdk.compute.aks",
        SystemService="sendoff.sdk.compute.aks",
    )
)
