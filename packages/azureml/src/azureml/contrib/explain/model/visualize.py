"""Explanations."""

from azureml._names import take

globals().update(
    take(
        ExplanationDashboard="sendoff.sdk.absent",
    )
)
