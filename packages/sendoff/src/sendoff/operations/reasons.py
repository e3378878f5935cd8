"""Reason codes of a timeline's steps: stable, for programs; ``docs/deploy.md`` explains each (a test compares)."""

from __future__ import annotations

from ..errors import SendoffError

REASONS: dict[str, str] = {
    "Validated": "Names, models, code, environment and target fit together.",
    "Registered": "The environment is registered in the workspace.",
    "EnvironmentReady": "The environment's interpreter is on this machine.",
    "BundleReady": "Code and models are assembled in one folder.",
    "ImageReady": "The image, or the folder to build one from, is where the message says.",
    "Started": "The target was told what to run.",
    "Initialised": "Every worker imported the entry script and its init() returned.",
    "Ready": "The service answers requests with this revision.",
    "Drained": "No request is running any more and the processes have ended.",
    "Removed": "The service is forgotten.",
    "Measured": "Every size was held under load and its service is gone again.",
    "Recommended": "The recommendation is stored with the profile, and its tags are on the models.",
    "Resumed": "An earlier runner ended before its work; this one took it up.",
    "WaitingForStart": "The target has not started the processes yet.",
    "WaitingForInit": "A worker is importing the entry script or running init().",
    "WaitingForReady": "The workers are up; the service does not answer yet.",
    "WaitingForResources": "The target has no room for the service at this moment.",
    "ResolvingEnvironment": "Package versions are being chosen or installed.",
    "BuildingImage": "Layers are being made or sent.",
    "Measuring": "A size is under load; the message says which.",
    "InvalidInput": "Something in the request cannot work.",
    "ModelNotFound": "A model version of the revision does not exist any more.",
    "EnvironmentNotFound": "The named environment does not exist.",
    "EnvironmentFailed": "The environment cannot be resolved or built.",
    "CorruptBlob": "Stored bytes do not match their digest.",
    "ScriptFailed": "The entry script could not be imported, or its init() raised.",
    "StartFailed": "The target could not start the service.",
    "PortInUse": "The asked port is taken on this machine.",
    "TargetUnavailable": "The target's engine does not answer.",
    "EngineStopped": "No Docker engine answers.",
    "EnginePermission": "This user may not use the Docker engine.",
    "OutOfMemory": "The kernel ended a process of the container: its memory limit was reached.",
    "ImageMissing": "The image, or its base, is not on the engine and cannot be pulled.",
    "NameTaken": "A container that is not Sendoff's has the name.",
    "DiskFull": "The disk of the home, or of the engine, is full.",
    "ContainerEnded": "The container ended again and again before it answered.",
    "NotSupported": "The target cannot do what was asked.",
    "StoreError": "The store cannot be read or written.",
    "TimedOut": "The step took longer than it may.",
    "Cancelled": "A user cancelled the operation.",
    "RunnerDied": "The process that did the work ended three times before its end.",
    "InternalError": "A mistake in Sendoff; the operation's log has the traceback.",
}

# Errors whose reason is not named as their code is.
_BY_CODE = {
    "not_found": "InvalidInput",
    "interpreter_not_found": "EnvironmentFailed",
    "deployment_failed": "StartFailed",
    "missing_extra": "NotSupported",
    "timeout": "TimedOut",
}
# What an error's class does not tell: the engine's own failures, by the code in the error's context.
_BY_DETAIL = {
    "not_running": "EngineStopped",
    "permission": "EnginePermission",
    "out_of_memory": "OutOfMemory",
    "image_missing": "ImageMissing",
    "name_taken": "NameTaken",
    "disk_full": "DiskFull",
    "container_ended": "ContainerEnded",
}


def reason_of(error: SendoffError) -> str:
    """The reason code of a step that ended with this error."""
    detail = error.context.get("reported_code") or error.context.get("reason")
    if detail in _BY_DETAIL:
        return _BY_DETAIL[detail]
    name = "".join(part.title() for part in error.code.split("_"))
    return _BY_CODE.get(error.code, name if name in REASONS else "InternalError")
