"""Services and their deployment configurations."""

from azureml._names import take

globals().update(
    take(
        Webservice="sendoff.sdk.webservice",
        LocalWebservice="sendoff.sdk.local",
        AciWebservice="sendoff.sdk.aci",
        AksWebservice="sendoff.sdk.aks",
        AksEndpoint="sendoff.sdk.endpoint",
        UnknownWebservice="sendoff.sdk.absent",
        WebserviceException="sendoff.sdk.exceptions",
    )
)
