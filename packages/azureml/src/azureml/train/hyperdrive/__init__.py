"""Hyperparameter searches."""

from azureml._names import take

globals().update(
    take(
        HyperDriveConfig="sendoff.sdk.absent",
        HyperDriveRun="sendoff.sdk.absent",
        RandomParameterSampling="sendoff.sdk.absent",
        GridParameterSampling="sendoff.sdk.absent",
        BayesianParameterSampling="sendoff.sdk.absent",
        BanditPolicy="sendoff.sdk.absent",
        MedianStoppingPolicy="sendoff.sdk.absent",
        TruncationSelectionPolicy="sendoff.sdk.absent",
        PrimaryMetricGoal="sendoff.sdk.absent",
        choice="sendoff.sdk.absent",
        uniform="sendoff.sdk.absent",
        loguniform="sendoff.sdk.absent",
        normal="sendoff.sdk.absent",
        quniform="sendoff.sdk.absent",
        qloguniform="sendoff.sdk.absent",
        lognormal="sendoff.sdk.absent",
        randint="sendoff.sdk.absent",
        NoTerminationPolicy="sendoff.sdk.absent",
        HyperDriveRunConfig="sendoff.sdk.absent",
    )
)
