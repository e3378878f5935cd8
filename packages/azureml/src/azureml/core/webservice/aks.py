"""The class AksWebservice."""

from azureml._names import take

globals().update(
    take(
        AksWebservice="sendoff.sdk.webservice",
    )
)
