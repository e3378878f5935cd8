"""Scripts to run."""

from azureml._names import take

globals().update(
    take(
        ScriptRunConfig="sendoff.sdk.runs.configuration",
    )
)
