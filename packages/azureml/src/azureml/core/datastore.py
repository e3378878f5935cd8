"""Datastores."""

from azureml._names import take

globals().update(
    take(
        Datastore="sendoff.sdk.data.datastore",
    )
)
