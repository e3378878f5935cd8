"""Schedules."""

from azureml._names import take

globals().update(
    take(
        Schedule="sendoff.sdk.absent",
        ScheduleRecurrence="sendoff.sdk.absent",
    )
)
