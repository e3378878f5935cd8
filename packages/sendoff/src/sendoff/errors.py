"""Every error that Sendoff raises on purpose: a stable code, a sentence, a hint and context.

The core raises these and knows nothing of HTTP or of the command line: ``sendoff.api.errors`` maps codes to
HTTP status and ``sendoff.cli.errors`` to exit codes. Over the wire an error travels as :meth:`SendoffError.payload`
and comes back as the same class through :func:`from_payload`.
"""

from __future__ import annotations

import errno
from collections.abc import Mapping
from typing import Any, ClassVar, TypeVar

T = TypeVar("T")


class SendoffError(Exception):
    """Base of all errors of Sendoff.

    The code of one is the name of its class, in lower case with ``_`` between the words; it is stable.

    Args:
        message: One sentence: what happened, naming the file, field or object.
        hint: What to do next, as a sentence or a command to type. Empty when there is nothing to advise.
        **context: JSON values that a program may want (``path``, ``field``, ``expected``, ``got``…). ``typed``
            stands in the place of the hint on the command line, where that is another thing to do.
    """

    code: ClassVar[str] = "internal_error"

    def __init_subclass__(cls) -> None:
        # Whoever adds a name to one elsewhere, as the SDK does, leaves it its code.
        if cls.__module__ == __name__:
            cls.code = "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in cls.__name__).lstrip("_")

    def __init__(self, message: str, *, hint: str = "", **context: Any) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.context = context

    def __str__(self) -> str:
        return f"{self.message}\n{self.hint}" if self.hint else self.message

    def payload(self) -> dict[str, Any]:
        """The error as JSON: ``code``, ``message``, ``hint`` and ``context``."""
        return {"code": self.code, "message": self.message, "hint": self.hint, "context": self.context}


class InvalidInput(SendoffError):
    """A file, flag, key or value is not what it has to be; context names ``where`` and ``expected``.

    ``missing`` in the context is the path of a file or folder that was named and is not there.
    """


class NotFound(SendoffError):
    """The named thing does not exist."""


class ModelNotFound(NotFound):
    """No model version matches."""


class EnvironmentNotFound(NotFound):
    """No environment version matches."""


class ServiceNotFound(NotFound):
    """No service of that name in the workspace."""


class WorkspaceNotFound(NotFound):
    """No workspace of that name."""


class ComputeNotFound(NotFound):
    """No compute target of that name in the workspace."""


class ExperimentNotFound(NotFound):
    """No experiment of that name in the workspace."""


class RunNotFound(NotFound):
    """No run of that id in the workspace."""


class OperationNotFound(NotFound):
    """No operation with that id."""


class AlreadyExists(SendoffError):
    """The name is taken; the hint says how to overwrite or update."""


class Conflict(SendoffError):
    """The request does not fit the present state (an immutable property, a state that has moved on)."""


class OperationInProgress(Conflict):
    """Another operation is running on this service; one at a time.

    Source: spec/behaviour.md sec. 8.4.
    """


class InUse(Conflict):
    """Deleting is refused while something refers to the object; context lists ``used_by``."""


class PortInUse(Conflict):
    """The asked port is taken on this machine."""


class Unauthorized(SendoffError):
    """No token, or a wrong one."""


class NotSupported(SendoffError):
    """The target or this version cannot do what was asked; the hint names what can."""


class ImageNeedsEngine(NotSupported):
    """An image that goes to a registry needs a step that only a container engine can do, and none answers."""


class MissingExtra(SendoffError):
    """An optional package is not installed; the hint is the install line."""


class StoreError(SendoffError):
    """The store cannot be read or written (full disk, permissions, locked database), or memory or files ran out."""


class StoreTooNew(StoreError):
    """The store was written by a newer Sendoff."""


class CorruptBlob(SendoffError):
    """Stored bytes do not match their digest: they were changed or cut off outside Sendoff."""


class EnvironmentFailed(SendoffError):
    """An environment cannot be resolved or built; context carries the tool's last ``log`` lines."""


class InterpreterNotFound(EnvironmentFailed):
    """No Python that fits ``python=X.Y`` is on this machine, nor could one be fetched."""


class DeploymentFailed(SendoffError):
    """A deployment ended in Failed; context carries ``step``, ``traceback``, ``file``, ``line``, ``log``."""


class ScriptFailed(DeploymentFailed):
    """The entry script could not be imported, or its ``init()`` raised."""


class TargetUnavailable(SendoffError):
    """The target's engine does not answer."""


class Cancelled(SendoffError):
    """The operation was cancelled by a user."""


class Timeout(SendoffError):
    """Waiting took longer than the caller allowed; the work goes on."""


class ScoringFailed(SendoffError):
    """A scoring request was answered with an error; context has ``status`` and ``body``."""


class Unreachable(SendoffError):
    """The server at ``SENDOFF_SERVER`` or the service's address does not answer."""


# What the machine lacks when a call of the system fails so: no mistake of anybody's code.
_LACKING = {
    errno.ENOSPC: ("the disk is full", "disk_full", "Free some space (`sendoff gc` shows and removes what is unused)"),
    errno.EDQUOT: ("the disk quota is used up", "disk_full", "Free some space, or ask for more"),
    errno.EFBIG: ("the file would be larger than this process may write", "file_size", "Raise the limit (`ulimit -f`)"),
    errno.EROFS: ("the file system is read-only", "read_only", "Set SENDOFF_HOME to a folder that can be written"),
    errno.EIO: ("the disk fails", "disk_fails", "Look into the system's log"),
    errno.EMFILE: ("this process may not open more files", "open_files", "Raise the limit (`ulimit -n`)"),
    errno.ENFILE: ("the machine has no more open files", "open_files", "End other processes, or raise fs.file-max"),
    errno.ENOMEM: ("the machine has no memory left", "memory", "End other processes, or use a larger machine"),
}


def lacking(error: BaseException) -> StoreError | None:
    """What the machine lacks, for an exception that nobody caught and that is no mistake of Sendoff; else None.

    The file is named where the system named one. ``reported_code`` in the context tells the cases apart.
    """
    number = error.errno if isinstance(error, OSError) else errno.ENOMEM if _without_memory(error) else None
    if number not in _LACKING:
        return None
    what, code, advice = _LACKING[number]
    named = getattr(error, "filename", None)
    path = named if isinstance(named, str) else ""
    return StoreError(
        f"{path}: {what}" if path else what,
        hint=f"{advice}, then try again; what was stored before is as it was.",
        reported_code=code,
        **({"path": path} if path else {}),
    )


def _without_memory(error: BaseException) -> bool:
    """Whether no memory was left, in the words of whoever was refused some."""
    text = str(error)
    return (
        isinstance(error, MemoryError)
        or (isinstance(error, RuntimeError) and "can't start new thread" in text)
        or (isinstance(error, ImportError) and ("failed to map segment" in text or "Cannot allocate memory" in text))
    )


def _all(base: type[SendoffError]) -> list[type[SendoffError]]:
    return [base, *(found for child in base.__subclasses__() for found in _all(child))]


def table() -> dict[str, type[SendoffError]]:
    """Every error class by its stable code; classes that only add a name to one (the SDK's) are not in it."""
    return {cls.code: cls for cls in _all(SendoffError) if "code" in vars(cls)}


def by_code(values: Mapping[type[SendoffError], T]) -> dict[str, T]:
    """The value for each code: that of its class, or of the nearest class above it that has one."""
    found = {}
    for code, cls in table().items():
        known = [values[base] for base in cls.__mro__ if base in values]
        if known:
            found[code] = known[0]
    return found


def from_payload(payload: dict[str, Any]) -> SendoffError:
    """Make the error that the other side raised.

    Args:
        payload: What :meth:`SendoffError.payload` gave; an unknown code gives a plain :class:`SendoffError`.
    """
    cls = table().get(str(payload.get("code")), SendoffError)
    error = cls(str(payload.get("message", "unknown error")), hint=str(payload.get("hint") or ""))
    error.context = dict(payload.get("context") or {})
    return error
