"""Automated training."""

from azureml._names import take

globals().update(
    take(
        OnnxInferenceHelper="sendoff.sdk.absent",
        OnnxConverter="sendoff.sdk.absent",
    )
)
