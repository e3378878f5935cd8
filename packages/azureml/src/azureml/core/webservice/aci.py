"""The class AciWebservice."""

from azureml._names import take

globals().update(
    take(
        AciWebservice="sendoff.sdk.webservice",
    )
)
