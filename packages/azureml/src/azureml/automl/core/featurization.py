"""Automated training."""

from azureml._names import take

globals().update(
    take(
        FeaturizationConfig="sendoff.sdk.absent",
    )
)
