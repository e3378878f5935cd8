"""Paths in datastores, as jobs take them."""

from azureml._names import take

globals().update(
    take(
        DataReference="sendoff.sdk.data.reference",
    )
)
