"""Private endpoints."""

from azureml._names import take

globals().update(
    take(
        PrivateEndPoint="sendoff.sdk.absent",
        PrivateEndPointConfig="sendoff.sdk.absent",
    )
)
