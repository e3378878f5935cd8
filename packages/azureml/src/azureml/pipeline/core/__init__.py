"""Pipelines: described, not run."""

from azureml._names import take

globals().update(
    take(
        Pipeline="sendoff.sdk.pipelines.pipeline",
        PipelineRun="sendoff.sdk.pipelines.pipeline",
        StepRun="sendoff.sdk.pipelines.pipeline",
        PublishedPipeline="sendoff.sdk.pipelines.pipeline",
        PipelineData="sendoff.sdk.pipelines.data",
        PipelineParameter="sendoff.sdk.pipelines.data",
        InputPortBinding="sendoff.sdk.pipelines.data",
        OutputPortBinding="sendoff.sdk.pipelines.data",
        PipelineStep="sendoff.sdk.pipelines.steps",
        PipelineEndpoint="sendoff.sdk.absent",
        PipelineDraft="sendoff.sdk.absent",
        Schedule="sendoff.sdk.absent",
        ScheduleRecurrence="sendoff.sdk.absent",
        PortDataReference="sendoff.sdk.absent",
        TrainingOutput="sendoff.sdk.absent",
        Module="sendoff.sdk.absent",
    )
)
