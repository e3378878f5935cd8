"""Automated training."""

from azureml._names import take

globals().update(
    take(
        OnnxConverter="sendoff.sdk.absent",
    )
)
