"""Paths in datastores."""

from azureml._names import take

globals().update(
    take(
        DataPath="sendoff.sdk.data.reference",
    )
)
