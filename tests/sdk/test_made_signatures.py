"""Functions whose parameters are data are called, shown and refused as if they had been written out."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

import pytest

from sendoff.sdk.services.aks import AksWebservice
from sendoff.sdk.signatures import making, parameters, taking


@dataclass(eq=False, repr=False)
class Size:
    cores: float
    name: str | None = None


class Service:
    @staticmethod
    @making(Size)
    def size() -> None:
        """How large."""

    @taking("self, first, second=2")
    def update(self, **given: Any) -> dict[str, Any]:
        """Values as given."""
        return given


def test_a_function_takes_what_the_class_takes_and_makes_it():
    assert str(inspect.signature(Service.size)) == "(cores: 'float', name: 'str | None' = None) -> 'Size'"
    assert (Service.size.__qualname__, Service.size.__doc__) == ("Service.size", "How large.")
    made = Service.size(2, name="n")
    assert (type(made), vars(made)) == (Size, {"cores": 2, "name": "n"})


def test_a_wrong_call_is_refused_in_pythons_words():
    with pytest.raises(TypeError, match=r"^Service\.size\(\) got an unexpected keyword argument 'core'"):
        Service.size(core=2)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match=r"^Service\.size\(\) missing 1 required positional argument: 'cores'"):
        Service.size()  # type: ignore[call-arg]


def test_parameters_arrive_by_name_however_they_were_given():
    assert Service().update(1) == {"first": 1, "second": 2}


def test_a_list_of_parameters_is_another_with_some_left_out_and_some_put_in():
    text = parameters(Size, without="name", behind={"cores": "models=None"})
    assert text == "cores: float, models=None"


def test_what_an_aks_service_takes_is_one_list_and_its_keys_are_not_shown():
    made = AksWebservice.deploy_configuration(True, primary_key="hush")
    assert list(vars(made)) == list(inspect.signature(AksWebservice.deploy_configuration).parameters)
    assert "hush" not in repr(made)
