"""Experiments."""

from azureml._names import take

globals().update(
    take(
        Experiment="sendoff.sdk.runs.experiment",
    )
)
