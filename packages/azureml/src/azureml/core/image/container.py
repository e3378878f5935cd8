"""Images of the oldest form."""

from azureml._names import take

globals().update(
    take(
        ContainerImage="sendoff.sdk.images",
        ContainerImageConfig="sendoff.sdk.images",
        ContainerRegistry="sendoff.sdk.environment_sections",
    )
)
