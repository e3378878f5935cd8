"""Images of the oldest form."""

from azureml._names import take

globals().update(
    take(
        Image="sendoff.sdk.services.images",
        ContainerImage="sendoff.sdk.services.images",
    )
)
