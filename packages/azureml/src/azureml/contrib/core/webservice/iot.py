"""Edge services."""

from azureml._names import take

globals().update(
    take(
        IotWebservice="sendoff.sdk.absent",
    )
)
