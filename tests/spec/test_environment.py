"""Equal definitions have equal digests."""

import pytest

from sendoff.errors import InvalidInput
from sendoff.spec.environment import (
    DockerSpec,
    EnvironmentSpec,
    Lock,
    PythonSpec,
    check_version,
    same_definition,
    spec_digest,
)
from sendoff.spec.parse import replace

BASE = EnvironmentSpec(
    name="a",
    python=PythonSpec(
        channels=["x", "y"],
        conda_packages=["python=3.8", "numpy >=1.16, <2"],
        pip_packages=["joblib", "--index-url https://a.invalid", "--extra-index-url https://b.invalid", "Six==1.0"],
    ),
)


def with_python(**changes):
    return replace(BASE, python=replace(BASE.python, **changes))


def test_name_version_variables_and_package_order_do_not_count():
    other = replace(
        BASE,
        name="b",
        version="7",
        environment_variables={"A": "1"},
        python=replace(
            BASE.python,
            conda_packages=["numpy>=1.16,<2", "python=3.8"],
            pip_packages=["six==1.0", "--index-url https://a.invalid", "--extra-index-url https://b.invalid", "joblib"],
        ),
    )
    assert spec_digest(other) == spec_digest(BASE)


@pytest.mark.parametrize(
    "other",
    [
        with_python(channels=["y", "x"]),
        with_python(conda_packages=["python=3.9", "numpy >=1.16, <2"]),
        with_python(pip_packages=["joblib"]),
        with_python(pip_packages=[*BASE.python.pip_packages, "--constraint numpy<1.18"]),
        with_python(
            pip_packages=["joblib", "--extra-index-url https://b.invalid", "--index-url https://a.invalid", "Six==1.0"]
        ),
        replace(BASE, docker=DockerSpec(base_image="img")),
        with_python(user_managed_dependencies=True),
    ],
    ids=["channel order", "python", "fewer packages", "a constraint", "index order", "image", "user-managed"],
)
def test_whatever_changes_the_build_changes_the_digest(other):
    assert spec_digest(other) != spec_digest(BASE)


def test_environment_variables_make_another_definition_of_the_same_build():
    other = replace(BASE, environment_variables={"A": "1"})
    assert spec_digest(other) == spec_digest(BASE)
    assert not same_definition(other, BASE)
    assert same_definition(replace(BASE, name="z", version="9"), BASE)


def test_a_lock_knows_its_pins_and_its_folder():
    lock = Lock(
        digest="sha256:" + "0123456789abcdef" * 4,
        python="/usr/bin/python3.6",
        python_version="3.6.15",
        platform="linux-x86_64",
        method="pip",
        requirements="Scikit_Learn==0.20.0 \\\n    --hash=sha256:aa\nsix==1.17.0 ; python_version < '3'\n",
    )
    assert lock.pins() == {"scikit-learn": "0.20.0", "six": "1.17.0"}
    assert lock.key == "0123456789abcdef" * 2


def test_a_version_is_a_plain_word():
    assert check_version("2020.1-rc_1") == "2020.1-rc_1"
    for wrong in ("", "a b", "../x", "-1", "a" * 256):
        with pytest.raises(InvalidInput):
            check_version(wrong)
