"""SDK v1's exception classes (spec/surface.md sec. 4), each also the class of `sendoff.errors` that it stands for.

``except WebserviceException`` and ``except sendoff.errors.ServiceNotFound`` both catch an unknown service.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, cast

from .. import errors


class AzureMLException(errors.SendoffError):
    """Base of what the SDK raises; ``message`` is the sentence, ``str()`` SDK v1's several lines."""

    def __init__(
        self,
        exception_message: str = "",
        inner_exception: BaseException | None = None,
        target: str | None = None,
        details: Any = None,
        message_format: str | None = None,
        message_parameters: dict[str, Any] | None = None,
        reference_code: str | None = None,
        *,
        status_code: int | None = None,
        logger: object = None,
        hint: str = "",
        **context: Any,
    ) -> None:
        if not exception_message and message_format:
            exception_message = message_format.format(**(message_parameters or {}))
        super().__init__(exception_message, hint=hint, **context)
        self.inner_exception = inner_exception
        self.target = target
        self.details = details
        self.reference_code = reference_code
        self.status_code = status_code
        del logger  # SDK v1's signature has it; what is raised is not logged as well

    def __str__(self) -> str:
        text = f"{self.message}\n{self.hint}" if self.hint else self.message
        first = self.message.partition("\n")[0]
        response = json.dumps({"error": {"code": "UserError", "message": first}}, indent=4, ensure_ascii=False)
        return (
            f"{type(self).__name__}:\n\tMessage: {text}\n\tInnerException {self.inner_exception}\n"
            f"\tErrorResponse \n{response}"
        )


class UserErrorException(AzureMLException):
    """Bad arguments, or no configuration file."""


class AuthenticationException(UserErrorException):
    """No token, or a wrong one."""


class WebserviceException(AzureMLException):
    """What deploying and serving raise; ``status_code`` is an HTTP status where there is one."""


class ModelNotFoundException(AzureMLException):
    """No model version matches."""


class ComputeTargetException(AzureMLException):
    """What compute targets raise."""


class WorkspaceException(AzureMLException):
    """What workspaces raise."""

    found_multiple = False


class ProjectSystemException(AzureMLException):
    """An unknown workspace, as older SDK v1 code catches it."""


class ExperimentExecutionException(AzureMLException):
    """Runs."""


class RunEnvironmentException(AzureMLException):
    """Outside of a run."""


class ActivityFailedException(AzureMLException):
    """A run ended in failure; ``error_details`` as the run gave them."""


# Classes that Sendoff itself never raises: there so that scripts can name them.
_NAMED = {
    AzureMLException: {
        "ModelPathNotFoundException": "A model's path is not there.",
        "WorkspacePrivateEndpointException": "Private endpoints: never raised here.",
        "RunConfigurationException": "Run configurations.",
        "SnapshotException": "Snapshots of source folders.",
        "TrainingException": "Training.",
        "DatasetTimestampMissingError": "Data sets without a time column.",
        "DiscoveryUrlNotFoundException": "No discovery URL for a key.",
        "AzureMLAggregatedException": "Several exceptions in one.",
        "ParallelRunException": "Batch scoring.",
        "ServiceException": "A service's own HTTP error.",
    },
    UserErrorException: {
        "DatasetValidationError": "A data set's definition is wrong, as SDK v1 code catches it.",
        "DatasetExecutionError": "A data set cannot be read, as SDK v1 code catches it.",
    },
}
for _base, _names in _NAMED.items():
    for _name, _about in _names.items():
        globals()[_name] = type(_name, (_base,), {"__doc__": _about, "__module__": __name__})

_ALSO: dict[str, tuple[type[AzureMLException], ...]] = {
    "model_not_found": (ModelNotFoundException, WebserviceException),
    "workspace_not_found": (WorkspaceException, ProjectSystemException),
    "unauthorized": (AuthenticationException,),
}
"""Codes that SDK v1 had a class for, whatever was being done; all others take the class of the noun."""

_PREFIX = {"service_not_found": "WebserviceNotFound: "}
"""Words that public code looks for in the message."""

_made: dict[tuple[type, ...], type[AzureMLException]] = {}


def raised_as(kind: type[AzureMLException], error: errors.SendoffError, *also: type[Exception]) -> AzureMLException:
    """The same error as SDK v1's class, or classes, and as its own."""
    bases = (*_ALSO.get(error.code, (kind,)), type(error), *also)
    if bases not in _made:
        _made[bases] = cast("type[AzureMLException]", type(bases[0].__name__, bases, {"__module__": __name__}))
    made = _made[bases](
        _PREFIX.get(error.code, "") + error.message, hint=error.hint, status_code=error.context.get("status")
    )
    made.context = error.context
    return made


@contextmanager
def as_sdk_errors(kind: type[AzureMLException]) -> Iterator[None]:
    """Within it, an error of Sendoff comes out as SDK v1's class; also a decorator."""
    try:
        yield
    except AzureMLException:
        raise
    except errors.SendoffError as error:
        # The cause would repeat the same words, except for a defect, whose traceback is the news.
        raise raised_as(kind, error) from (error if error.code == "internal_error" else None)
