"""Datasets."""

from azureml._names import take

globals().update(
    take(
        Dataset="sendoff.sdk.data.dataset",
    )
)
