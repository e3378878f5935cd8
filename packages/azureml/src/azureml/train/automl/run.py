"""Runs of automated training."""

from azureml._names import take

globals().update(
    take(
        AutoMLRun="sendoff.sdk.runs.automl",
    )
)
