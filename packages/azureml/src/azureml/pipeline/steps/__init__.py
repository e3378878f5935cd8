"""Steps of a pipeline."""

from azureml._names import take

globals().update(
    take(
        PythonScriptStep="sendoff.sdk.pipelines.steps",
        ParallelRunStep="sendoff.sdk.pipelines.steps",
        ParallelRunConfig="sendoff.sdk.pipelines.parallel_run",
        AdlaStep="sendoff.sdk.pipelines.other_steps",
        AutoMLStep="sendoff.sdk.pipelines.other_steps",
        AzureBatchStep="sendoff.sdk.pipelines.other_steps",
        CommandStep="sendoff.sdk.pipelines.other_steps",
        DataTransferStep="sendoff.sdk.pipelines.other_steps",
        DatabricksStep="sendoff.sdk.pipelines.other_steps",
        EstimatorStep="sendoff.sdk.pipelines.other_steps",
        HyperDriveStep="sendoff.sdk.pipelines.other_steps",
        HyperDriveStepRun="sendoff.sdk.pipelines.other_steps",
        ModuleStep="sendoff.sdk.pipelines.other_steps",
        MpiStep="sendoff.sdk.pipelines.other_steps",
        RScriptStep="sendoff.sdk.pipelines.other_steps",
        SynapseSparkStep="sendoff.sdk.pipelines.other_steps",
    )
)
