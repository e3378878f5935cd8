"""The class Webservice."""

from azureml._names import take

globals().update(
    take(
        Webservice="sendoff.sdk.webservice",
    )
)
