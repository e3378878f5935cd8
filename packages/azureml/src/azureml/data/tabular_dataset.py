"""Tables."""

from azureml._names import take

globals().update(
    take(
        TabularDataset="sendoff.sdk.data.dataset",
    )
)
