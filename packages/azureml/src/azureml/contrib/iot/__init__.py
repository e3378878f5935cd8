"""Edge devices."""

from azureml._names import take

globals().update(
    take(
        IotContainerImage="sendoff.sdk.absent",
    )
)
