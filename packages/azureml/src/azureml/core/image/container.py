"""Images of the oldest form."""

from azureml._names import take

globals().update(
    take(
        ContainerImage="sendoff.sdk.services.images",
        ContainerImageConfig="sendoff.sdk.services.images",
        ContainerRegistry="sendoff.sdk.environments.sections",
    )
)
