"""SDK v1's framework estimators: each a script with its arguments, run in the interpreter that submits it."""

from __future__ import annotations

from typing import Any

from .configuration import Estimator, MpiConfiguration

_LIBRARIES = {
    "SKLearn": "scikit-learn",
    "TensorFlow": "TensorFlow",
    "PyTorch": "PyTorch",
    "Keras": "Keras",
    "Chainer": "Chainer",
}
for _name, _library in _LIBRARIES.items():
    _members = {"__doc__": f"A script that trains with {_library}.", "__module__": __name__}
    globals()[_name] = type(_name, (Estimator,), _members)

Mpi = MpiConfiguration


class Nccl:
    """Settings of distributed training; a script runs as one process here."""

    def __init__(self, **given: Any) -> None:
        vars(self).update(given)


class Gloo(Nccl):
    """Settings of distributed training."""


class ParameterServer(Nccl):
    """Settings of distributed training."""
