"""Linked services."""

from azureml._names import take

globals().update(
    take(
        LinkedService="sendoff.sdk.absent",
    )
)
