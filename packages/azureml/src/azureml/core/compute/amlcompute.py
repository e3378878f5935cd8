"""Training and batch clusters."""

from azureml._names import take

globals().update(
    take(
        AmlCompute="sendoff.sdk.compute.amlcompute",
        AmlComputeProvisioningConfiguration="sendoff.sdk.compute.amlcompute",
        AmlComputeStatus="sendoff.sdk.compute.amlcompute",
        ScaleSettings="sendoff.sdk.compute.amlcompute",
    )
)
