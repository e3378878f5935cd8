"""Edge hubs."""

from azureml._names import take

globals().update(
    take(
        IotHubCompute="sendoff.sdk.absent",
    )
)
