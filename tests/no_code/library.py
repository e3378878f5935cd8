"""Trains models of generated frames, and asks them twice: through their own library, and through our adapters.

Run by ``proof.py`` in an environment that has the libraries, never imported by tests: one JSON object a line comes in
and one goes out. ``train`` makes a model's file, ``ask`` compares what its library says of some rows with what we do.
"""

import inspect
import io
import json
import os
import pickle
import sys
import tempfile
import traceback
import types
import warnings

warnings.simplefilter("ignore")
os.environ.update(MLFLOW_DISABLE_TELEMETRY="true", OMP_NUM_THREADS="1", MLFLOW_LOGGING_LEVEL="ERROR")
scoring, worker = sys.argv[1:3]
folder = tempfile.mkdtemp()
os.symlink(scoring, os.path.join(folder, "sendoff_no_code"))
sys.path[:0] = [folder, worker]
replies, sys.stdout = sys.stdout, sys.stderr

import joblib  # noqa: E402
import numpy as np  # noqa: E402
import pandas as pd  # noqa: E402
from sendoff_no_code.application import ADAPTERS, Application  # noqa: E402

from sendoff_serving.worker.answer import Refusal  # noqa: E402
from sendoff_serving.worker.encoding import encode  # noqa: E402

TEXTS = ["red", "blue", "gréen", "1", "007", "NA", "true", "", "1e3"]


def values(kind, rng, count):
    """A column's values, all of them there."""
    if kind in ("float64", "Float64"):
        return rng.normal(size=count).round(3)
    if kind in ("float32", "float16"):
        return rng.normal(size=count).astype(kind)
    if kind == "wide":  # beyond what floats hold
        return rng.integers(2**53, 2**53 + 4, count)
    if kind in ("int8", "uint16", "int32", "int64", "Int64"):
        return rng.integers(0, 9, count)
    if kind in ("bool", "boolean"):
        return rng.random(count) > 0.5
    if kind in ("category_int", "ordered_int"):
        return rng.choice([10, 20, 30], count)
    if kind == "category_bool":
        return rng.choice([False, True], count)
    pool = TEXTS[:3] if kind.startswith(("category", "ordered")) else TEXTS
    return rng.choice(pool, count).astype(object)


def series(kind, given, unseen, like=None):
    """A column of a dtype; ``like`` is the training column, whose categories it has."""
    given = list(given)
    if kind.startswith(("category", "ordered")):
        known = sorted({one for one in given if one is not None and one == one}, key=repr)
        categories = list(like.cat.categories) if like is not None else known
        categories += [one for one in known if one not in categories]
        return pd.Series(pd.Categorical(given, categories=categories, ordered=kind.startswith("ordered")))
    if kind == "text":
        return pd.Series(given, dtype=object)
    if kind == "str":
        return pd.Series(given, dtype="str")
    if any(one is None for one in given) and kind not in ("Int64", "Float64", "boolean", "string"):
        if kind == "bool":
            return pd.Series([np.nan if one is None else bool(one) for one in given], dtype=object)
        return pd.Series(
            [np.nan if one is None else one for one in given], dtype=kind if "float" in kind else "float64"
        )
    return pd.Series(given, dtype={"wide": "int64"}.get(kind, kind))


def column(one, rng, count, like=None, unseen=False):
    made = list(values(one["kind"], rng, count))
    made = [item.item() if hasattr(item, "item") else item for item in made]
    if one["missing"] and count > 1:
        null = np.nan if one["kind"] == "text" and one["missing"] == "nan" else None
        for at in range(0 if like is None else 1, count, 4):
            made[at] = null
    if unseen and one["kind"] in ("text", "str", "string", "category_text", "ordered_text"):
        made[0] = "unseen"
    return series(one["kind"], made, unseen, like)


def frame_of(case, rng, count, like=None, unseen=False):
    made = {}
    for at, one in enumerate(case["columns"]):
        known = None if like is None else like.iloc[:, at]
        made[one["name"]] = column(one, rng, count, known, unseen)
    frame = pd.DataFrame(made)
    if case["names"] == "numbers":
        frame.columns = range(len(frame.columns))
    return frame


def target(frame):
    found = np.zeros(len(frame))
    for at in range(frame.shape[1]):
        codes = pd.factorize(frame.iloc[:, at], sort=False)[0]
        found += (at + 1) * codes % 7
    return found


def is_text(kind):
    return kind in ("text", "str", "string", "category_text", "ordered_text")


def sklearn_model(case, table, y):
    from sklearn.compose import ColumnTransformer
    from sklearn.ensemble import HistGradientBoostingRegressor, RandomForestRegressor, VotingRegressor
    from sklearn.impute import SimpleImputer
    from sklearn.linear_model import Ridge
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import OneHotEncoder, OrdinalEncoder, StandardScaler
    from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

    texts = [name for name, one in zip(table.columns, case["columns"], strict=False) if is_text(one["kind"])]
    bools = [name for name, one in zip(table.columns, case["columns"], strict=False) if "bool" in one["kind"]]
    rest = [name for name in table.columns if name not in texts + bools]
    places = [list(table.columns).index(name) for name in texts + bools]
    if case["names"] == "numbers":
        texts, bools, rest = ([list(table.columns).index(name) for name in one] for one in (texts, bools, rest))
    prepared = ColumnTransformer(
        [
            ("numbers", make_pipeline(SimpleImputer(), StandardScaler()), rest),
            ("texts", OneHotEncoder(handle_unknown="ignore"), texts),
            ("bools", OneHotEncoder(handle_unknown="ignore"), bools),
        ]
    )
    unknown = {"handle_unknown": "use_encoded_value", "unknown_value": -1, "encoded_missing_value": -2}
    kind = case["model"]
    if kind == "linear":
        return make_pipeline(prepared, Ridge()).fit(table, y)
    if kind == "imputed":
        filled = make_pipeline(SimpleImputer(strategy="most_frequent"), OrdinalEncoder(**unknown))
        inner = ColumnTransformer([("all", filled, texts + bools)], remainder=SimpleImputer())
        return make_pipeline(inner, DecisionTreeClassifier(random_state=0)).fit(table, y.astype(int).astype(str))
    if kind == "ordinal":
        return make_pipeline(OrdinalEncoder(**unknown), DecisionTreeRegressor(random_state=0)).fit(table, y)
    if kind == "voting":
        one = make_pipeline(prepared, Ridge())
        two = make_pipeline(OrdinalEncoder(**unknown), DecisionTreeRegressor(random_state=0))
        return VotingRegressor([("one", one), ("two", two)]).fit(table, y)
    if kind == "boosting":
        return HistGradientBoostingRegressor(max_iter=5, min_samples_leaf=2, categorical_features="from_dtype").fit(
            table, y
        )
    if kind == "boosting_places":
        return HistGradientBoostingRegressor(max_iter=5, min_samples_leaf=2, categorical_features=places or None).fit(
            table, y
        )
    return RandomForestRegressor(n_estimators=3, random_state=0).fit(table, y)


def train(case):
    rng = np.random.default_rng(case["seed"])
    table = frame_of(case, rng, 40)
    y = target(table)
    library, kind = case["library"], case["model"]
    if library == "onnx":
        return table, onnx_graph(case)
    if library.endswith("sklearn"):
        return table, sklearn_model(case, table, y)
    if library.endswith("xgboost"):
        import xgboost

        if kind == "booster":
            matrix = xgboost.DMatrix(table, label=y, enable_categorical=True)
            return table, xgboost.train({"max_depth": 3, "nthread": 1}, matrix, num_boost_round=4)
        return table, xgboost.XGBRegressor(n_estimators=4, n_jobs=1, enable_categorical=True, max_depth=3).fit(table, y)
    import lightgbm

    given = {"verbosity": -1, "min_data_in_leaf": 1, "num_threads": 1, "min_data_in_bin": 1, "cat_smooth": 0}
    given["min_data_per_group"] = 1
    if case.get("zero_as_missing"):
        given["zero_as_missing"] = True
    if kind == "booster":
        return table, lightgbm.train(given, lightgbm.Dataset(table, y), 4)
    return table, lightgbm.LGBMRegressor(n_estimators=4, n_jobs=1, **given).fit(table, y)


ONNX = {"float64": "DOUBLE", "float32": "FLOAT", "int8": "INT8", "uint16": "UINT16", "int32": "INT32", "int64": "INT64"}
ONNX.update(wide="INT64", bool="BOOL", text="STRING")


def onnx_graph(case):
    """A graph with an input and an output of each column."""
    import onnx
    from onnx import TensorProto, helper

    def info(name, kind):
        return helper.make_tensor_value_info(name, getattr(TensorProto, ONNX[kind]), [None, 1])

    nodes, ins, outs = [], [], []
    for at, one in enumerate(case["columns"]):
        nodes.append(helper.make_node("Identity", [one["name"]], [f"o{at}"]))
        ins.append(info(one["name"], one["kind"]))
        outs.append(info(f"o{at}", one["kind"]))
    graph = helper.make_graph(nodes, "g", ins, outs)
    assert onnx
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 15)], ir_version=8)


def save(case, table, model):
    """Write a model as its users do; return its path relative to the folder, and the files."""
    where = tempfile.mkdtemp(dir=folder)
    library, saved = case["library"], case["saved"]
    if library.startswith("mlflow"):
        import importlib

        import mlflow
        from mlflow.models import infer_signature

        flavour = importlib.import_module("mlflow." + library.partition("_")[2])
        given = {"signature": infer_signature(table) if case["signature"] else None, "pip_requirements": ["pandas"]}
        if "serialization_format" in inspect.signature(flavour.save_model).parameters:
            given["serialization_format"] = "cloudpickle"
        if case.get("predict_fn"):
            given["pyfunc_predict_fn"] = case["predict_fn"]
        assert mlflow
        flavour.save_model(model, os.path.join(where, "m"), **given)
        return where, "m"
    if library == "onnx":
        with open(os.path.join(where, "m.onnx"), "wb") as file:
            file.write(model.SerializeToString())
        return where, "m.onnx"
    name = {"json": "m.json", "ubj": "m.ubj", "txt": "m.txt"}.get(saved, "m.joblib")
    path = os.path.join(where, name)
    if saved in ("json", "ubj", "txt"):
        model.save_model(path)
    elif saved == "pickle":
        with open(path, "wb") as file:
            pickle.dump(model, file)
    else:
        joblib.dump(model, path)
    return where, name


def plain(value):
    if isinstance(value, np.generic):
        value = value.item()
    return None if value is None or value is pd.NA or value != value else value


def payload(case, request):
    """The body of a request in one of its forms."""
    names = [str(name) for name in request.columns]
    order = list(range(len(names)))
    if case["shuffled"]:
        order = order[::-1]
    rows = [[plain(row[at]) for at in order] for row in request.astype(object).itertuples(index=False)]
    names = [names[at] for at in order]
    form = case["form"]
    if form == "tensors":
        kinds = {bool: "BOOL", str: "BYTES", int: "INT64", float: "FP64"}
        columns = {name: [row[at] for row in rows] for at, name in enumerate(names)}
        if case["dropped"]:
            columns.pop(names[0])
        made = {
            name: {"shape": [len(one)], "datatype": kinds.get(type(one[0]), "FP64"), "data": one}
            for name, one in columns.items()
        }
        return made, form
    if case["extra"]:
        names, rows = [*names, "an extra one"], [[*row, "x"] for row in rows]
    if case["dropped"]:
        names, rows = names[1:], [row[1:] for row in rows]
    if form == "csv":
        out = io.StringIO()
        pd.DataFrame(rows, columns=names, dtype=object).to_csv(out, index=False)
        return out.getvalue().encode(), "text/csv"
    member = "dataframe_records" if case["library"].startswith("mlflow") else "data"
    if form == "records":
        body = {member: [dict(zip(names, row, strict=False)) for row in rows]}
    elif form == "split":
        member = "dataframe_split" if case["library"].startswith("mlflow") else "data"
        body = {member: {"columns": names, "data": rows}}
    elif form in ("data", "inputs"):  # tensors by name
        body = {form: {name: [row[at] for row in rows] for at, name in enumerate(names)}}
    elif form == "columns":
        member = "inputs" if case["library"].startswith("mlflow") else "data"
        body = {member: {name: [row[at] for row in rows] for at, name in enumerate(names)}}
    else:
        body = {"inputs" if case["library"].startswith("mlflow") else "data": rows}
    return json.dumps(body).encode(), "application/json"


def own_answer(case, path, main, request):
    """What the training library itself says, of the model's file read again."""
    library = case["library"]
    if library.startswith("mlflow"):
        import mlflow.pyfunc

        folder = mlflow.pyfunc.load_model(os.path.join(path, main))
        try:
            return folder.predict(request)
        except Exception:
            return library_answer(folder.get_raw_model(), request)  # MLflow takes no categories of pandas
    file = os.path.join(path, main)
    if library == "onnx":
        import onnxruntime

        session = onnxruntime.InferenceSession(file, providers=["CPUExecutionProvider"])
        feeds = {str(name): request[name].to_numpy().reshape(-1, 1) for name in request.columns}
        made = session.run(None, feeds)
        made = dict(zip([one.name for one in session.get_outputs()], [one.tolist() for one in made], strict=False))
        return {"outputs": made} if case["form"] == "inputs" else made if len(made) > 1 else next(iter(made.values()))
    if case["saved"] in ("json", "ubj", "txt"):
        if library == "xgboost":
            import xgboost

            model = xgboost.Booster(model_file=file)
        else:
            import lightgbm

            model = lightgbm.Booster(model_file=file)
    else:
        model = joblib.load(file)
    return library_answer(model, request)


def library_answer(model, request):
    if type(model).__module__ == "xgboost.core":
        import xgboost

        return model.predict(xgboost.DMatrix(request, enable_categorical=True))
    if hasattr(model, "predict_proba") and type(model).__module__.startswith("sklearn"):
        return model.predict_proba(request)
    return model.predict(request)


def text(value):
    if hasattr(value, "to_numpy") and not hasattr(value, "columns"):
        value = value.to_numpy()
    return json.loads(encode(value, "legacy")[0].decode())


def our_answer(adapter, config, body, kind):
    if kind == "tensors":
        return text(Application(config, adapter, None).infer(body)["output"])
    request = types.SimpleNamespace(path="/score", method="POST", content_type=kind, headers={}, full_path="/score")
    request.get_data = lambda: body
    return text(Application(config, adapter, None).run(request))


def same(one, other, near):
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(same(left, right, near) for left, right in zip(one, other, strict=False))
    if isinstance(one, (int, float)) and isinstance(other, (int, float)):
        return (
            one == other or (one != one and other != other) or abs(one - other) <= near * max(1.0, abs(one), abs(other))
        )
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name], near) for name in one)
    return one == other


def ask(case, state):
    """Compare one request's answers."""
    import importlib

    table, path, main, config = state
    rng = np.random.default_rng(case["seed"] + 1)
    request = frame_of(case, rng, case["rows"], like=table, unseen=case["unseen"])
    module = importlib.import_module("sendoff_no_code." + ADAPTERS[config["framework"]])
    try:
        adapter = module.load(config, os.path.join(path, main))
    except ValueError as error:
        return {"result": "refused", "why": f"at loading: {error}"}
    body, kind = payload(case, request)
    try:
        own, failure = text(own_answer(case, path, main, request)), None
    except Exception as error:
        own, failure = None, f"{type(error).__name__}: {str(error)[:300]}"
    try:
        ours = our_answer(adapter, config, body, kind)
    except Refusal as error:
        return {"result": "refused", "why": str(error.content.get("message")), "own": failure}
    if isinstance(ours, dict) and "predictions" in ours:
        ours = ours["predictions"]
    if case["dropped"]:
        return {
            "result": "differing",
            "why": "a column is missing, and there is an answer",
            "body": body if kind == "tensors" else body.decode(),
        }
    if failure is not None:
        return {
            "result": "differing",
            "why": f"the library refuses: {failure}",
            "ours": ours,
            "body": body if kind == "tensors" else body.decode(),
        }
    narrow = any(one["kind"] in ("float32", "float16") for one in case["columns"])
    if not same(own, ours, 1e-4 if narrow else 1e-7):
        return {"result": "differing", "own": own, "ours": ours, "body": body if kind == "tensors" else body.decode()}
    return {"result": "compared"}


def main():
    state = None
    for line in sys.stdin:
        asked = json.loads(line)
        try:
            if asked["do"] == "train":
                table, model = train(asked["case"])
                path, main_file = save(asked["case"], table, model)
                state = (table, path, main_file)
                files = [
                    os.path.relpath(os.path.join(base, name), path)
                    for base, _, names in os.walk(path)
                    for name in names
                ]
                reply = {"path": path, "main": main_file, "files": files}
            else:
                reply = ask(asked["case"], (*state, asked["config"]))
        except Exception:
            reply = {"error": traceback.format_exc()[-3000:]}
        replies.write(json.dumps(reply, default=str) + "\n")
        replies.flush()


main()
