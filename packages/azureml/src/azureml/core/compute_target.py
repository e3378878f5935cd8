"""What compute targets raise."""

from azureml._names import take

globals().update(
    take(
        ComputeTargetException="sendoff.sdk.exceptions",
        AbstractComputeTarget="sendoff.sdk.absent",
        LocalTarget="sendoff.sdk.absent",
        prepare_compute_target="sendoff.sdk.absent",
        is_compute_target_prepared="sendoff.sdk.absent",
    )
)
