"""Runs."""

from azureml._names import take

globals().update(
    take(
        Run="sendoff.sdk.runs.run",
        _OfflineRun="sendoff.sdk.runs.offline",
        get_run="sendoff.sdk.runs.run",
    )
)
