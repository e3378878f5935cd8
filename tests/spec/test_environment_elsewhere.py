"""Lists that another machine exported: conda's build folders, packages of Windows, files by address."""

import pytest

from sendoff.errors import InvalidInput
from sendoff.spec.environment import EnvironmentSpec, PythonSpec, check_variables
from sendoff.spec.environment_elsewhere import for_here
from sendoff.spec.environment_files import load

FROZEN = """\
attrs @ file:///home/conda/feedstock_root/build_artifacts/attrs_1671632566681/work
numpy @ file:///croot/numpy_and_numpy_base_1682520569166/work/dist
requests==2.28.1
six @ file:///tmp/build/80754af9/six_1623709665295/work ; python_version < "4"
urllib3[secure] @ file:///C:/b/abs_9bcwxczrvm/croot/urllib3_1673575521331/work
"""


def read(tmp_path, text, name="requirements.txt"):
    (tmp_path / name).write_text(text)
    return load(tmp_path / name)


def test_folders_of_condas_builds_are_told_all_at_once(tmp_path):
    spec = read(tmp_path, FROZEN)
    with pytest.raises(InvalidInput) as error:
        for_here(spec)
    assert "attrs, numpy, six, urllib3[secure] point at folders" in error.value.message
    assert "pip list --format=freeze" in error.value.hint
    assert "--ignore-local" in error.value.hint
    taken = for_here(spec, ignore_local=True).python.pip_packages
    assert [line.strip() for line in taken] == [
        "attrs", "numpy", "requests==2.28.1", 'six ; python_version < "4"', "urllib3[secure]",
    ]  # fmt: skip


WINDOWS = """\
name: old
channels: [defaults]
dependencies:
- python=3.7.9=h60c2a47_0
- numpy=1.19.2=py37hadc3359_0
- vs2015_runtime=14.16.27012=hf0eaf9b_3
- wincertstore=0.2=py37_0
- conda-forge::m2w64-gcc-libs
- pip:
  - pywin32==300
  - pywinpty==0.5.7 ; sys_platform == "win32"
  - colorama==0.4.4
"""


def test_packages_of_windows_are_told_and_left_out_with_the_builds(tmp_path):
    spec = read(tmp_path, WINDOWS, "environment.yml")
    with pytest.raises(InvalidInput) as error:
        for_here(spec)
    assert "vs2015_runtime, wincertstore, m2w64-gcc-libs, pywin32 are for Windows alone" in error.value.message
    assert "--ignore-windows" in error.value.hint
    python = for_here(spec, ignore_windows=True).python
    assert python.conda_packages == ["python=3.7.9", "numpy=1.19.2"]
    assert python.pip_packages == ['pywinpty==0.5.7 ; sys_platform == "win32"', "colorama==0.4.4"]


def test_files_by_address_are_read_and_half_an_address_is_told(tmp_path):
    (tmp_path / "with blank").mkdir()
    more = tmp_path / "with blank" / "more.txt"
    more.write_text("six\n")
    address = more.as_uri()
    assert read(tmp_path, f"-r {address}\n").python.pip_packages == ["six"]
    assert read(tmp_path, f"-c {address}\n").python.pip_packages == ["--constraint six"]
    conda = f"dependencies:\n- pip:\n  - -r {address}\n"
    assert read(tmp_path, conda, "environment.yml").python.pip_packages == ["six"]
    for line in ("-r file:more.txt", "-c file:more.txt", "--find-links file:wheels"):
        with pytest.raises(InvalidInput, match="takes a path") as error:
            read(tmp_path, f"{line}\n")
        assert f"{line.split()[-1].removeprefix('file:')}." in error.value.hint
    with pytest.raises(InvalidInput, match="only files can be included"):
        read(tmp_path, "-r https://host.invalid/requirements.txt\n")


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("A=B", "x", "no name"),
        ("", "x", "no name"),
        ("A\nB", "x", "no name"),
        ("A\0", "x", "no name"),
        ("A", "x\0y", "NUL"),
        ("A", "x" * 200_000, "too long"),
        ("A", "\udcff", "Unicode"),
    ],
)
def test_variables_that_no_process_can_have_are_refused(name, value, told):
    with pytest.raises(InvalidInput, match=told):
        check_variables({name: value}, where="environment e")


def test_long_variables_together_are_refused_and_strange_ones_taken():
    with pytest.raises(InvalidInput, match="too long"):
        check_variables({f"A{number}": "x" * 100_000 for number in range(12)}, where="e")
    check_variables({"a.b-c d": "line\nbreak", "É": "", "A": "x" * 131_000}, where="e")


def test_variables_of_a_file_name_the_place(tmp_path):
    with pytest.raises(InvalidInput, match=r"environment.yml: variables: the variable 'A=B'"):
        read(tmp_path, 'dependencies: [python]\nvariables:\n  "A=B": x\n', "environment.yml")


def test_a_definition_without_any_of_that_stays_as_it_is():
    spec = EnvironmentSpec(name="e", python=PythonSpec(conda_packages=["numpy=1.19.2=py37_0"], pip_packages=["six"]))
    assert for_here(spec, ignore_local=True, ignore_windows=True) == spec
