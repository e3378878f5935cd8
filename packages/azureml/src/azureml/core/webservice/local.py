"""The class LocalWebservice."""

from azureml._names import take

globals().update(
    take(
        LocalWebservice="sendoff.sdk.webservice",
    )
)
