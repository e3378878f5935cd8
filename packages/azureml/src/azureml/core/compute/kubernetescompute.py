"""Attached Kubernetes clusters."""

from azureml._names import take

globals().update(
    take(
        KubernetesCompute="sendoff.sdk.compute.kubernetes",
        KubernetesComputeAttachConfiguration="sendoff.sdk.compute.kubernetes",
    )
)
