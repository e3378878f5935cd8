"""Notebook machines."""

from azureml._names import take

globals().update(
    take(
        ComputeInstance="sendoff.sdk.compute.instance",
    )
)
