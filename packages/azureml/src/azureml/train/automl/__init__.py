"""Automated training: its runs, whose models can be registered."""

from azureml._names import take

globals().update(
    take(
        AutoMLConfig="sendoff.sdk.absent",
        AutoMLRun="sendoff.sdk.runs.automl",
        AutoMLStep="sendoff.sdk.pipelines.other_steps",
        constants="sendoff.sdk.absent",
        AutoMLStepRun="sendoff.sdk.absent",
    )
)
