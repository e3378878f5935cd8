"""Exception classes that entry scripts catch."""

from sendoff_serving.worker.models import AzureMLException, ModelNotFoundException, WebserviceException


class UserErrorException(AzureMLException):
    """A mistake of the caller."""

    __module__ = "azureml.exceptions"


__all__ = ["AzureMLException", "ModelNotFoundException", "UserErrorException", "WebserviceException"]
