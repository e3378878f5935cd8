"""Detectors of drift."""

from azureml._names import take

globals().update(
    take(
        AlertConfiguration="sendoff.sdk.datadrift",
        DataDriftDetector="sendoff.sdk.datadrift",
    )
)
