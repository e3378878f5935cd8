"""What data sets raise."""

from azureml._names import take

globals().update(
    take(
        DatasetValidationError="sendoff.sdk.exceptions",
        DatasetExecutionError="sendoff.sdk.exceptions",
    )
)
