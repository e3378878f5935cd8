"""Telemetry of SDK v1: nothing is collected."""

from azureml._names import take

globals().update(
    take(
        set_diagnostics_collection="sendoff.sdk.absent",
        get_telemetry_log_handler="sendoff.sdk.absent",
        INSTRUMENTATION_KEY="sendoff.sdk.absent",
    )
)
