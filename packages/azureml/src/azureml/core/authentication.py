"""Ways to sign in."""

from azureml._names import take

globals().update(
    take(
        InteractiveLoginAuthentication="sendoff.sdk.authentication",
        ServicePrincipalAuthentication="sendoff.sdk.authentication",
        MsiAuthentication="sendoff.sdk.authentication",
        AzureCliAuthentication="sendoff.sdk.authentication",
        TokenAuthentication="sendoff.sdk.authentication",
        AbstractAuthentication="sendoff.sdk.authentication",
        ArmTokenAuthentication="sendoff.sdk.authentication",
        AuthenticationException="sendoff.sdk.exceptions",
    )
)
