"""Automated training: its runs, whose models can be registered."""

from azureml._names import take

globals().update(
    take(
        AutoMLConfig="sendoff.sdk.absent",
        AutoMLRun="sendoff.sdk.runs.automl",
        AutoMLStepRun="sendoff.sdk.absent",
    )
)
