"""Machines of one's own."""

from azureml._names import take

globals().update(
    take(
        DsvmCompute="sendoff.sdk.compute.remote",
    )
)
