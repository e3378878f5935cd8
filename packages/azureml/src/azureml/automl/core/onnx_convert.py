"""Automated training."""

from azureml._names import take

globals().update(
    take(
        OnnxConvertConstants="sendoff.sdk.absent",
        OnnxConverter="sendoff.sdk.absent",
    )
)
