"""Automated training."""

from azureml._names import take

globals().update(
    take(
        constants="sendoff.sdk.absent",
    )
)
