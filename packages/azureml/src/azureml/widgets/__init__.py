"""Notebook widgets."""

from azureml._names import take

globals().update(
    take(
        RunDetails="sendoff.sdk.absent",
    )
)
