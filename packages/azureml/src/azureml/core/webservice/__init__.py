"""Services and their deployment configurations."""

from azureml._names import take

globals().update(
    take(
        Webservice="sendoff.sdk.webservice",
        LocalWebservice="sendoff.sdk.webservice",
        AciWebservice="sendoff.sdk.webservice",
        AksWebservice="sendoff.sdk.webservice",
    )
)
