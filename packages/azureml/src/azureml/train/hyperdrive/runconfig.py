"""Hyperparameter searches."""

from azureml._names import take

globals().update(
    take(
        HyperDriveConfig="sendoff.sdk.absent",
        HyperDriveRunConfig="sendoff.sdk.absent",
        PrimaryMetricGoal="sendoff.sdk.absent",
    )
)
