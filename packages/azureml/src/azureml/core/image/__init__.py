"""Images of the oldest form."""

from azureml._names import take

globals().update(
    take(
        Image="sendoff.sdk.images",
        ContainerImage="sendoff.sdk.images",
    )
)
