"""The file forms of an environment become one spec, or an error that names the place."""

import json
import subprocess
import sys

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sendoff.errors import AlreadyExists, InvalidInput
from sendoff.spec import parse
from sendoff.spec.environment import DockerSpec, EnvironmentSpec, PythonSpec
from sendoff.spec.environment_conda import conda_from_value, conda_text
from sendoff.spec.environment_files import (
    environment_from_value,
    environment_to_value,
    load,
    load_from_directory,
    read_conda_file,
    read_requirements_file,
    save_to_directory,
)
from sendoff.spec.environment_requirements import requirements_from_text

ARTICLE_KIND = """
# packages of a service
name: project_environment
channels:
  # the one that has it
  - conda-forge
dependencies:
  # the interpreter
  - python=3.6.2  # old
  - scikit-learn=0.20.0
  - pip:
      # You must list azureml-defaults as a pip dependency
    - azureml-defaults>=1.0.45
    - inference-schema[numpy-support]
prefix: /home/somebody/miniconda3
"""


def test_a_conda_file_of_the_articles_kind_is_read_with_comments_anywhere(tmp_path):
    path = tmp_path / "env.yml"
    path.write_text(ARTICLE_KIND)
    notes = []
    spec = read_conda_file(path, name="mine", notes=notes)
    assert spec.name == "mine"
    assert spec.python.channels == ["conda-forge"]
    assert spec.python.conda_packages == ["python=3.6.2", "scikit-learn=0.20.0"]
    assert spec.python.pip_packages == ["azureml-defaults>=1.0.45", "inference-schema[numpy-support]"]
    assert len(notes) == 1
    assert "prefix" in notes[0]
    assert "ignored" in notes[0]
    assert read_conda_file(path).name == "project_environment"


def test_the_split_of_conda_and_pip_within_one_entry_is_understood():
    python, _ = conda_from_value(
        {"dependencies": ["python=3.8", {"conda": ["numpy=1.19"], "pip": ["joblib"]}]}, where="env.yml"
    )
    assert python.conda_packages == ["python=3.8", "numpy=1.19"]
    assert python.pip_packages == ["joblib"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("dependencys: []", ["unknown key 'dependencys'", "Did you mean 'dependencies'?"]),
        ("dependencies: numpy", ["dependencies: a list was expected", "each after '- '"]),
        ("dependencies: [{pip: numpy}]", ["dependencies[0].pip: a list was expected"]),
        ("dependencies: [3.6]", ["dependencies[0]", "got 3.6"]),
        ("dependencies: [{pip: [3]}]", ["dependencies[0].pip[0]", "in quotes"]),
        ("dependencies: [{pip: ['numpy=1.0']}]", ["dependencies[0].pip[0]", "Write numpy==1.0"]),
        ("dependencies: [{pip: ['-e .']}]", ["editable", "wheel"]),
        ("dependencies: [{pip: ['git+https://x/y.git']}]", ["version control", "--find-links"]),
        ("dependencies: ['numpy[mkl]']", ["dependencies[0]", "conda has no extras"]),
        ("dependencies: ['=1.0']", ["has to start with a package name"]),
        ("dependencies: ['numpy>=1.0,,<2']", ["a version condition is missing"]),
        ("dependencies: [{npm: []}]", ["unknown key 'npm' in dependencies[0]"]),
        ("channels: conda-forge", ["channels: a list was expected"]),
        ("a: [", ["not valid YAML", "line 1"]),
        ("when: 2020-13-45", ["no date that can be read", "line 1"]),
        ("", ["is empty"]),
        ("- numpy", ["holds a list; a mapping was expected"]),
        ("dependencies: [a]\nname: e\ndependencies: [b]", ["the key 'dependencies' is there twice", "line 3"]),
        ("dependencies: [{pip: [a], pip: [b]}]", ["the key 'pip' is there twice", "line 1"]),
        ("dependencies:\n\t- numpy", ["line 2", "spaces"]),
    ],
)
def test_an_error_names_the_file_the_place_and_what_to_do(tmp_path, text, said):
    path = tmp_path / "env.yml"
    path.write_text(text)
    with pytest.raises(InvalidInput) as error:
        read_conda_file(path)
    assert str(path) in error.value.message
    for words in said:
        assert words in str(error.value)


def test_requirements_follow_includes_constraints_and_continuations(tmp_path):
    (tmp_path / "more").mkdir()
    (tmp_path / "more" / "base.txt").write_text("joblib>=1.0\n-c ../pins.txt\n")
    (tmp_path / "pins.txt").write_text("numpy==1.19.5  # pinned\n")
    main = tmp_path / "requirements.txt"
    main.write_bytes(
        b"\xef\xbb\xbf# comment\n"
        b"--extra-index-url=https://packages.invalid/simple\n"
        b"-f wheels\n"
        b"-r more/base.txt\n"
        b"scikit-learn == 0.20.0 ; python_version < '3.7'  # old\n"
        b"six==1.17.0 \\\n    --hash=sha256:" + b"ab" * 32 + b" \\\n    --hash=sha256:" + b"cd" * 32 + b"\n"
    )
    (tmp_path / "wheels").mkdir()
    spec = read_requirements_file(main, name="r")
    assert spec.python.pip_packages == [
        "--extra-index-url https://packages.invalid/simple",
        f"--find-links {tmp_path / 'wheels'}",
        "joblib>=1.0",
        "--constraint numpy==1.19.5",
        "scikit-learn == 0.20.0 ; python_version < '3.7'",
        f"six==1.17.0 --hash=sha256:{'ab' * 32} --hash=sha256:{'cd' * 32}",
    ]
    # What was inlined reads back the same, without the included files.
    text = "\n".join(spec.python.pip_packages)
    assert requirements_from_text(text, where="again", base=tmp_path) == spec.python.pip_packages


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("numpy\n-r requirements.txt\n", ["line 2", "includes itself"]),
        ("\n\n-r gone.txt\n", ["gone.txt does not exist", "line 3"]),
        ("numpy >=\n", ["line 1", "not a pip requirement"]),
        ("--index-ulr https://x\n", ["line 1", "--index-ulr is not known"]),
        ("--index-url\n", ["needs a value"]),
        ("./local\n", ["only a wheel or source archive"]),
        ("./a-1.0-py3-none-any.whl\n", ["does not exist"]),
        ("a @ https://user:hunter2@host.invalid/a-1.0.tar.gz\n", ["password", "****"]),
        ("a==1 --global-option=x\n", ["--global-option cannot follow"]),
        ("a==1 --hash=md5:aa\n", ["not a hash"]),
        ("numpy=>1.20,<2\n", ["Write numpy>=1.20,<2."]),
        ("numpy=1.20\n", ["Write numpy==1.20."]),
        ("python==3.8\nnumpy\n", ["line 1", "no pip package", "python=3.8"]),
        ("Package    Version\n---------- -------\nnumpy      1.26.4\n", ["pip list --format=freeze"]),
    ],
)
def test_a_wrong_requirements_line_is_named_by_its_number(tmp_path, text, said):
    path = tmp_path / "requirements.txt"
    path.write_text(text)
    with pytest.raises(InvalidInput) as error:
        read_requirements_file(path, name="r")
    for words in said:
        assert words in str(error.value)
    assert "hunter2" not in str(error.value)


def test_a_local_wheel_becomes_an_address(tmp_path):
    (tmp_path / "tiny_thing-1.0-py3-none-any.whl").write_bytes(b"")
    lines = requirements_from_text("./tiny_thing-1.0-py3-none-any.whl", where="r.txt", base=tmp_path)
    assert lines == [f"tiny_thing @ {(tmp_path / 'tiny_thing-1.0-py3-none-any.whl').as_uri()}"]


def test_the_json_form_takes_keys_in_any_case_and_conda_inline(tmp_path):
    value = {
        "Name": "e",
        "VERSION": 3,
        "python": {
            "condadependencies": {"Dependencies": ["python=3.7", {"PIP": ["joblib"]}]},
            "UserManagedDependencies": "False",
        },
        "docker": {"BaseImage": "img", "enabled": "True", "platform": {"os": "Linux"}, "shmSize": None},
        "environmentVariables": {"A": "b"},
        "assetId": None,
    }
    spec = environment_from_value(value, where="e.json", base=tmp_path)
    assert (spec.name, spec.version) == ("e", "3")
    assert spec.python.conda_packages == ["python=3.7"]
    assert spec.docker.enabled is True
    assert spec.docker.shm_size is None
    assert spec.environment_variables == {"A": "b"}


def test_the_json_form_reads_the_conda_file_beside_it(tmp_path):
    (tmp_path / "conda").mkdir()
    (tmp_path / "conda" / "c.yml").write_text("dependencies: [python=3.9]")
    (tmp_path / "e.json").write_text('{"name": "e", "python": {"condaDependenciesFile": "conda/c.yml"}}')
    assert load(tmp_path / "e.json").python.conda_packages == ["python=3.9"]
    (tmp_path / "conda" / "c.yml").unlink()
    with pytest.raises(InvalidInput, match=r"c\.yml.*does not exist"):
        load(tmp_path / "e.json")


@pytest.mark.parametrize(
    ("value", "said"),
    [
        ({}, "name is missing"),
        ({"name": "e", "pyton": {}}, "Did you mean 'python'?"),
        ({"name": "e", "python": {"interpreterpaht": 1}}, "Did you mean 'interpreterPath'?"),
        ({"name": "e", "environmentVariables": {"A": 1}}, "environmentVariables.A"),
        ({"name": "e", "docker": {"enabled": "yes"}}, "docker.enabled: true or false"),
        ({"name": "e", "docker": {"baseImage": "a", "baseDockerfile": "b"}}, "exclude each other"),
        ({"name": "e", "docker": {"buildContext": {}}}, "baseDockerfile"),
        ({"name": "e", "Name": "f"}, "twice"),
        ({"name": "e", "inferencingStackVersion": "1"}, "'latest'"),
    ],
)
def test_a_wrong_json_form_names_the_key_path(tmp_path, value, said):
    with pytest.raises(InvalidInput) as error:
        environment_from_value(value, where="e.json", base=tmp_path)
    assert "e.json" in error.value.message
    assert said in str(error.value)


def test_saving_refuses_to_replace_unless_told_and_then_leaves_no_old_dockerfile(tmp_path):
    first = EnvironmentSpec(name="a", docker=DockerSpec(base_dockerfile="FROM x\n"))
    assert [p.name for p in save_to_directory(first, tmp_path / "d")] == [
        "azureml_environment.json",
        "conda_dependencies.yml",
        "BaseDockerfile",
    ]
    second = EnvironmentSpec(name="b")
    with pytest.raises(AlreadyExists):
        save_to_directory(second, tmp_path / "d")
    assert load_from_directory(tmp_path / "d") == first
    save_to_directory(second, tmp_path / "d", overwrite=True)
    assert load_from_directory(tmp_path / "d") == second
    assert sorted(p.name for p in (tmp_path / "d").iterdir()) == ["azureml_environment.json", "conda_dependencies.yml"]


def test_a_folder_of_the_old_tools_is_read_with_its_conda_file(tmp_path):
    value = environment_to_value(EnvironmentSpec(name="old"))
    del value["python"]["condaDependencies"]
    (tmp_path / "azureml_environment.json").write_text(json.dumps(value))
    (tmp_path / "conda_dependencies.yml").write_text(ARTICLE_KIND)
    assert load(tmp_path).python.conda_packages == ["python=3.6.2", "scikit-learn=0.20.0"]


def test_importing_the_parsers_imports_neither_yaml_nor_packaging():
    code = "import sys, sendoff.spec.environment_files; print([m for m in ('yaml', 'packaging') if m in sys.modules])"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout.strip() == "[]"


# --- properties ---

_word = st.from_regex(r"[a-z][a-z0-9]{0,8}", fullmatch=True)
_version = st.from_regex(r"[0-9]{1,2}(\.[0-9]{1,2}){0,2}", fullmatch=True)
_conda = st.builds(
    lambda n, op, v: n + op + v if op else n, _word, st.sampled_from(["", "=", "==", ">=", "<", " "]), _version
)
_pip = st.one_of(
    st.builds(lambda n, v: f"{n}=={v}", _word, _version),
    st.builds(lambda n, e: f"{n}[{e}]", _word, _word),
    st.builds(lambda n: f"--extra-index-url https://{n}.invalid/simple", _word),
    st.builds(lambda n, v: f"--constraint {n}<{v}", _word, _version),
)
_free = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1).filter(lambda t: t.strip() != "")
_specs = st.builds(
    EnvironmentSpec,
    name=_free,
    version=st.none() | _version,
    python=st.builds(
        PythonSpec,
        user_managed_dependencies=st.booleans(),
        interpreter_path=_free,
        conda_name=_word,
        channels=st.lists(_word, max_size=3),
        conda_packages=st.lists(_conda, max_size=4),
        pip_packages=st.lists(_pip, max_size=4),
    ),
    docker=st.builds(
        DockerSpec,
        enabled=st.booleans(),
        base_dockerfile=st.none() | _free,
        arguments=st.lists(_free, max_size=2),
        shm_size=st.none() | _word,
    ),
    environment_variables=st.dictionaries(_word, st.text(st.characters(exclude_categories=["Cs", "Cc"])), max_size=3),
    spark=st.dictionaries(_word, st.lists(_word), max_size=2),
    r=st.none() | st.dictionaries(_word, _word, max_size=2),
)

_slow_disk = settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=60)


@_slow_disk
@given(spec=_specs)
def test_any_spec_survives_the_folder_form_and_the_inline_form(tmp_path, spec):
    save_to_directory(spec, tmp_path, overwrite=True)
    assert load_from_directory(tmp_path) == spec
    value = json.loads(json.dumps(environment_to_value(spec)))
    assert environment_from_value(value, where="v", base=tmp_path) == spec


@_slow_disk
@given(python=st.builds(PythonSpec, conda_packages=st.lists(_conda), pip_packages=st.lists(_pip), conda_name=_word))
def test_any_python_section_survives_conda_yaml(tmp_path, python):
    path = tmp_path / "c.yml"
    path.write_text(conda_text(python), encoding="utf-8")
    assert read_conda_file(path).python == python


_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "name",
                    "channels",
                    "dependencies",
                    "pip",
                    "conda",
                    "variables",
                    "python",
                    "docker",
                    "environmentVariables",
                ]
            )
            | st.text(),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@_slow_disk
@given(value=_values)
def test_no_value_makes_a_parser_raise_anything_but_invalid_input(tmp_path, value):
    for parser in (
        lambda: conda_from_value(value, where="v", base=tmp_path),
        lambda: environment_from_value(value, where="v", base=tmp_path),
    ):
        try:
            parser()
        except InvalidInput as error:
            assert "v" in error.message


@_slow_disk
@given(
    data=st.binary() | st.text().map(lambda t: t.encode("utf-8", "replace")),
    name=st.sampled_from(["e.yml", "e.json", "e.txt"]),
)
def test_no_bytes_make_a_reader_raise_anything_but_invalid_input(tmp_path, data, name):
    (tmp_path / name).write_bytes(data)
    try:
        load(tmp_path / name)
    except InvalidInput as error:
        assert str(tmp_path) in error.message


_pieces = (
    "numpy == 1.0 -r -c --hash=sha256: ab ; [ ] @ file:/// ./ ~ \\ # --index-url = , | :: * .whl -1.0 ${X} é < git+"
)
_line_parts = st.sampled_from([*_pieces.split(), " ", "\n", "\0", "https://u:p@h/"])


@_slow_disk
@given(text=st.lists(_line_parts, max_size=10).map("".join))
def test_no_line_makes_the_package_parsers_raise_anything_but_invalid_input(tmp_path, text):
    for parser in (
        lambda: requirements_from_text(text, where="v", base=tmp_path),
        lambda: conda_from_value({"dependencies": [text, {"pip": [text]}]}, where="v", base=tmp_path),
    ):
        try:
            parser()
        except InvalidInput as error:
            assert "u:p@" not in str(error)


def test_a_spec_travels_as_json():
    spec = EnvironmentSpec(name="a", python=PythonSpec(conda_packages=["python=3.8"]))
    assert parse.decode(parse.encode(spec), EnvironmentSpec, where="body") == spec
