"""The compute target."""

from azureml._names import take

globals().update(
    take(
        ComputeTarget="sendoff.sdk.compute.target",
        ComputeTargetException="sendoff.sdk.exceptions",
    )
)
