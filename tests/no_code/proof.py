"""No-code answers beside the training library's own, on generated frames.

    make no-code-proof                  3,000 examples; the report counts compared, refused and differing
    make no-code-proof EXAMPLES=20000

Each example is a model of some library, trained on a frame of generated columns, saved as its users save it and
composed as a deployment composes it, and a request in one of the forms of a body. ``library.py`` does both sides' work
in an environment of the libraries. An answer where the library has none, or another one, is a difference.
"""

from __future__ import annotations

import collections
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import environment_cache
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

import sendoff.frameworks.scoring
import sendoff_serving
from sendoff.frameworks.files import main_file
from sendoff.frameworks.recipe import Given
from sendoff.frameworks.recipes import recipe_for
from sendoff.spec.model import ManifestFile, Model, ScanReport

from . import rig

LIBRARIES = rig.conda(
    rig.OURS,
    "mlflow-skinny==3.17.2",
    f"scikit-learn=={rig.SKLEARN}",
    "xgboost-cpu",
    "lightgbm",
    "onnxruntime",
    "onnx",
    "joblib",
    "pandas",
    "numpy",
    "cloudpickle",
)
NUMBERS = ["float64", "float32", "int8", "uint16", "int32", "int64", "wide", "bool"]
NULLABLE = ["Int64", "Float64", "boolean"]
TEXTS = ["text", "str", "string", "category_text", "ordered_text"]
CATEGORIES = ["category_text", "ordered_text", "category_int", "ordered_int", "category_bool"]
FORMS = ["records", "split", "columns", "lists", "csv", "tensors"]
NAMES = ["a", "B b", "größe", "data", "x.y"]
_LABELS = {"sklearn": "ScikitLearn", "xgboost": "XGBoost", "lightgbm": "LightGBM", "onnx": "Onnx"}


@st.composite
def cases(draw: Any) -> dict[str, Any]:
    """One model and one request."""
    library = draw(
        st.sampled_from(
            ["sklearn", "xgboost", "lightgbm", "mlflow_sklearn", "mlflow_xgboost", "mlflow_lightgbm", "onnx"]
        )
    )
    short = library.removeprefix("mlflow_")
    case: dict[str, Any] = {"library": library, "names": "texts", "saved": "joblib", "signature": True}
    if short == "sklearn":
        models = {
            "linear": [*NUMBERS, *NULLABLE, *TEXTS],
            "imputed": [*NUMBERS, "text", "category_text"],
            "ordinal": [*NUMBERS, *NULLABLE, *TEXTS, *CATEGORIES],
            "voting": [*NUMBERS, *TEXTS],
            "boosting": [*NUMBERS, *CATEGORIES],
            "boosting_places": [*NUMBERS, *TEXTS],
            "forest": [*NUMBERS, *NULLABLE],
        }
        case["model"] = draw(st.sampled_from(sorted(models)))
        kinds = models[case["model"]]
        case["saved"] = draw(st.sampled_from(["joblib", "pickle"]))
        case["names"] = draw(st.sampled_from(["texts", "texts", "texts", "numbers"]))
    elif library == "onnx":
        case |= {"model": "graph", "saved": "onnx"}
        kinds = [*NUMBERS, "text"]
    else:
        case["model"] = draw(st.sampled_from(["booster", "estimator"]))
        kinds = [*NUMBERS, *NULLABLE, *CATEGORIES, "category_text"]
        own = ["json", "ubj"] if short == "xgboost" else ["txt"]
        saved = ["joblib", "pickle", *own] if case["model"] == "booster" else ["joblib"]
        case["saved"] = draw(st.sampled_from(saved))
        case["zero_as_missing"] = draw(st.booleans())
    if library.startswith("mlflow"):
        case["signature"] = draw(st.booleans())
        case["names"] = "texts"
        kinds = [kind for kind in kinds if kind != "category_bool"]  # MLflow makes no signature of them
        if case["model"] == "imputed":
            case["predict_fn"] = draw(st.sampled_from([None, "predict_proba"]))
    names = draw(st.lists(st.sampled_from(NAMES), min_size=1, max_size=4, unique=True))
    if short == "lightgbm":
        names = [name.replace(" ", "_") for name in names]
    case["columns"] = [
        {
            "name": name,
            "kind": draw(st.sampled_from(kinds)),
            "missing": draw(st.sampled_from([None, None, "nan", "none"])),
        }
        for name in names
    ]
    case |= {
        "seed": draw(st.integers(0, 2**20)),
        "rows": draw(st.integers(1, 9)),
        "form": draw(st.sampled_from(FORMS)),
        "shuffled": draw(st.booleans()),
        "extra": draw(st.booleans()),
        "dropped": draw(st.sampled_from([False, False, False, True])),
        "unseen": draw(st.booleans()),
    }
    if library == "onnx":
        case |= {"form": draw(st.sampled_from(["data", "inputs"])), "extra": False, "unseen": False}
    if case["form"] == "tensors":
        case["extra"] = False
    if case["form"] == "lists":
        case |= {"shuffled": False, "extra": False}
    return case


class Libraries:
    """The process that trains and asks."""

    def __init__(self) -> None:
        python = environment_cache.built(LIBRARIES)
        self.scoring = Path(sendoff.frameworks.scoring.__file__).parent
        worker = Path(sendoff_serving.__file__).parents[1]
        self._process = subprocess.Popen(
            [str(python), "-W", "ignore", str(Path(__file__).with_name("library.py")), str(self.scoring), str(worker)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def __enter__(self) -> Libraries:
        return self

    def __exit__(self, *_: object) -> None:
        self._process.stdin.close()
        self._process.wait(30)

    def _asked(self, **what: Any) -> dict[str, Any]:
        self._process.stdin.write(json.dumps(what) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def compare(self, case: dict[str, Any]) -> dict[str, Any]:
        """Train, compose, ask: the result of one example."""
        made = self._asked(do="train", case=case)
        if "error" in made:
            return {"result": "untrained", "why": made["error"]}
        return self._asked(do="ask", case=case, config=composed(case, made))


def composed(case: dict[str, Any], made: dict[str, Any]) -> dict[str, Any]:
    """The configuration that a deployment of the files would have."""
    label = "MLflow" if case["library"].startswith("mlflow") else _LABELS[case["library"]]
    files = [ManifestFile(path=path, digest="sha256:" + "0" * 64, size=1) for path in made["files"]]
    facts: dict[str, Any] = dict.fromkeys(Model.__struct_fields__)
    facts |= {"id": "m:1", "name": "m", "version": 1, "framework": label, "files": files, "detected": {}}
    model = Model(**{**facts, "scan": ScanReport(verdict="none")})
    given = Given(
        main=main_file(model),
        pythons=["3.11.7"],
        beside=[],
        hooks=False,
        read=lambda path: (Path(made["path"]) / path).read_bytes(),
    )
    recipe = recipe_for(model, given)
    return {
        "framework": recipe.adapter,
        "name": "m",
        "version": 1,
        "file": given.main,
        "hooks": None,
        "imports": None,
        "cpu": 1.0,
        **recipe.settings,
    }


def run(examples: int, count: collections.Counter[str], *, fresh: bool) -> None:
    """Compare so many examples; the first difference is raised, made as small as it can be.

    Args:
        examples: How many.
        count: Is told how many were compared, refused, differing, and not trained as the library takes no such frame.
        fresh: Whether they are other ones each time.
    """
    with Libraries() as libraries:

        @settings(
            max_examples=examples,
            deadline=None,
            database=None,
            derandomize=not fresh,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, Phase.shrink],
            print_blob=False,
        )
        @given(cases())
        def compared(case: dict[str, Any]) -> None:
            found = libraries.compare(case)
            result = found.get("result", "differing")
            count[result] += 1
            if "error" in found:
                raise AssertionError(found["error"])
            count[f"{case['library']} {result}"] += 1
            if result == "refused" and found.get("own") is None and not case["dropped"]:
                count["why: " + found["why"][:70]] += 1
            assert result != "differing", json.dumps({"case": case, "found": found}, indent=1, ensure_ascii=False)

        compared()


def report(count: collections.Counter[str]) -> str:
    """The counts as a table."""
    lines = [f"{name:>10} {count[name]:6}" for name in ("compared", "refused", "differing", "untrained")]
    lines += [f"{count[name]:6}  {name}" for name in sorted(count) if " " in name]
    return "\n".join(lines)


if __name__ == "__main__":
    counted: collections.Counter[str] = collections.Counter()
    try:
        run(int(sys.argv[1]) if len(sys.argv) > 1 else 3000, counted, fresh=True)
    finally:
        print(report(counted))
