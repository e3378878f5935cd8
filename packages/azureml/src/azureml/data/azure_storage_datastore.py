"""The blob datastore."""

from azureml._names import take

globals().update(
    take(
        AzureBlobDatastore="sendoff.sdk.data.datastore",
    )
)
