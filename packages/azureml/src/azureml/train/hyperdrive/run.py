"""Hyperparameter searches."""

from azureml._names import take

globals().update(
    take(
        HyperDriveRun="sendoff.sdk.absent",
        PrimaryMetricGoal="sendoff.sdk.absent",
    )
)
