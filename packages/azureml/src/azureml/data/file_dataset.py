"""Files."""

from azureml._names import take

globals().update(
    take(
        FileDataset="sendoff.sdk.data.dataset",
    )
)
