"""Explanations."""

from azureml._names import take

globals().update(
    take(
        ExplanationClient="sendoff.sdk.absent",
    )
)
