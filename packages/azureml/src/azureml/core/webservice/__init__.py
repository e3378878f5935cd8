"""Services and their deployment configurations."""

from azureml._names import take

globals().update(
    take(
        Webservice="sendoff.sdk.services.webservice",
        LocalWebservice="sendoff.sdk.services.local",
        AciWebservice="sendoff.sdk.services.aci",
        AksWebservice="sendoff.sdk.services.aks",
        AksEndpoint="sendoff.sdk.services.endpoint",
        UnknownWebservice="sendoff.sdk.absent",
        WebserviceException="sendoff.sdk.exceptions",
    )
)
