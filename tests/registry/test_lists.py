"""Lists of models: every filter, alone and together, page by page, whatever was changed and deleted before."""

from __future__ import annotations

import itertools
import os
import random
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import create_engine, insert, make_url, select, text
from sqlalchemy.dialects import postgresql

from sendoff.registry import Registry, labels
from sendoff.registry.rows import SUMMARY
from sendoff.spec.model import ManifestFile, Model, RegisterModel, UpdateModel
from sendoff.spec.page import Window
from sendoff.spec.workspace import CreateWorkspace
from sendoff.store import Store, migrate, open_store
from sendoff.store.tables import model_labels, models

POSTGRESQL = os.environ.get("SENDOFF_TEST_POSTGRESQL", "")
"""A database of PostgreSQL, as an SQLAlchemy URL: all of these run there too."""
FILTERS: list[dict[str, Any]] = [
    {},
    {"latest": True},
    {"name": "a"},
    {"name": "a", "latest": True},
    {"name": "none"},
    {"tags": [("stage", None)]},
    {"tags": [("stage", "dev")]},
    {"tags": [("stage", "dev"), ("area", None)]},
    {"tags": [("stage", "dev")], "latest": True},
    {"tags": [("area", "x" * 5000)], "name": "b"},
    {"tags": [("stage", "dev")], "name": "a", "latest": True},
    {"properties": [("p", "1")], "tags": [("stage", None)], "latest": True},
    {"properties": [("stage", "dev")]},
    {"run_id": "r1"},
    {"run_id": "r1", "framework": "onnx"},
    {"framework": "Onnx", "latest": True},
    {"framework": "Onnx", "tags": [("area", None)], "properties": [("p", None)], "latest": True},
]


@pytest.fixture(params=["sqlite", *(["postgresql"] if POSTGRESQL else [])])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    if request.param == "sqlite":
        with open_store(tmp_path / "home", environ={}) as store:
            yield store
        return
    schema = f"test_{uuid.uuid4().hex}"
    engine = create_engine(POSTGRESQL)
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    own = make_url(POSTGRESQL).update_query_dict({"options": f"-csearch_path={schema}"})
    with open_store(tmp_path / "home", url=own.render_as_string(hide_password=False), environ={}) as store:
        yield store
    with engine.begin() as connection:
        connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
    engine.dispose()


def body(store: Store, name: str, **more: Any) -> RegisterModel:
    digest, size = store.blobs.put_bytes(b"weights")
    return RegisterModel(name=name, files=[ManifestFile(path="model.bin", digest=digest, size=size)], **more)


def expected(held: list[Model], filters: dict[str, Any]) -> list[str]:
    """What filters let through, as a loop says it."""

    def fits(model: Model) -> bool:
        pairs = itertools.product(("tags", "properties"))
        return (
            filters.get("name") in (None, model.name)
            and filters.get("run_id") in (None, model.run_id)
            and filters.get("framework", model.framework).lower() == model.framework.lower()
            and all(
                key in getattr(model, kind) and value in (None, getattr(model, kind)[key])
                for (kind,) in pairs
                for key, value in filters.get(kind, ())
            )
        )

    found = [model for model in held if fits(model)]
    if filters.get("latest"):
        newest = {model.name: model.id for model in sorted(found, key=lambda model: model.version)}
        found = [model for model in found if newest[model.name] == model.id]
    return [model.id for model in sorted(found, key=lambda model: (model.created_time, model.name), reverse=True)]


def pages(registry: Registry, limit: int, filters: dict[str, Any]) -> list[str]:
    found, after = [], None
    while True:
        page = registry.list("ws", window=Window(limit=limit, after=after), **filters)
        assert page or after is None
        found += [model.id for model in page]
        after = page.next
        if after is None:
            return found


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_filters_give_what_a_loop_would_after_any_changes(store: Store, seed: int) -> None:
    dice = random.Random(seed)
    registry = Registry(store)
    registry.create_workspace(CreateWorkspace(name="ws"))
    registry.create_workspace(CreateWorkspace(name="other"))
    held: dict[str, Model] = {}

    def some(values: dict[str, list[str]]) -> dict[str, str]:
        return {key: dice.choice(given) for key, given in values.items() if dice.random() < 0.5}

    tags = {"stage": ["dev", "prod", ""], "area": ["x", "x" * 5000]}
    for _ in range(60):
        what = dice.random()
        if what < 0.6 or not held:
            wanted = body(
                store,
                dice.choice("abc"),
                tags=some(tags),
                properties=some({"p": ["1", "2"], "stage": ["dev"]}),
                framework=dice.choice(["Onnx", "Custom"]),
                run_id=dice.choice([None, "r1", "r2"]),
            )
            made = registry.register("ws", wanted)
            held[made.id] = made
            registry.register("other", wanted)
        elif what < 0.8:
            id_ = dice.choice(list(held))
            change = UpdateModel(tags=some(tags)) if dice.random() < 0.5 else UpdateModel(remove_tags=["stage"])
            held[id_] = registry.update("ws", id_, change)
        else:
            id_ = dice.choice(list(held))
            registry.delete("ws", id_)
            del held[id_]
    for filters, limit in itertools.product(FILTERS, (1, 3, 100)):
        assert pages(registry, limit, filters) == expected(list(held.values()), filters), (filters, limit)
    for id_ in held:
        registry.delete("ws", id_)
    with store.read() as connection:
        left = connection.execute(select(model_labels.c.workspace).where(model_labels.c.workspace == "ws")).all()
    assert left == []


def test_entries_of_a_list_have_no_files_and_the_model_has(store: Store) -> None:
    registry = Registry(store)
    registry.create_workspace(CreateWorkspace(name="ws"))
    registry.register("ws", body(store, "m"))
    [entry] = registry.list("ws")
    assert not hasattr(entry, "files") and [file.path for file in registry.get("ws", "m").files] == ["model.bin"]


@pytest.mark.parametrize("filters", FILTERS, ids=str)
def test_a_page_is_read_off_an_index_and_the_statement_is_postgresqls_too(tmp_path: Path, filters: Any) -> None:
    asked = {"run_id": None, "framework": None, "tags": (), "properties": (), **filters}
    name, latest = asked.pop("name", None), asked.pop("latest", False)
    query, order = labels.matching(SUMMARY, "ws", labels.wanted(**asked), name=name, latest=latest and name is None)
    query = query.order_by(*order).limit(51)
    assert "LIMIT" in str(query.compile(dialect=postgresql.dialect()))
    with open_store(tmp_path, environ={}) as store, store.read() as connection:
        statement = query.compile(store.engine, compile_kwargs={"literal_binds": True})
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}")]
    assert not any("TEMP B-TREE" in line or line.startswith("SCAN") for line in plan), plan


def test_models_of_a_store_without_labels_get_them(tmp_path: Path) -> None:
    with open_store(tmp_path / "made", environ={}) as store:
        registry = Registry(store)
        registry.create_workspace(CreateWorkspace(name="ws"))
        for tags in ({"stage": "dev"}, {"stage": "prod", "é": "1"}, {}):
            registry.register("ws", body(store, "m", tags=tags, properties={"p": "1"}, run_id="r"))
        registry.register("ws", body(store, "n"))
        with store.begin() as connection:
            held = [dict(row) for row in connection.execute(select(models)).mappings()]
            wanted = sorted(connection.execute(select(model_labels)).all())
            space = connection.exec_driver_sql("SELECT * FROM workspaces").mappings().one()
    old = tmp_path / "old"
    with open_store(old, environ={}) as store:
        pass
    (old / "sendoff.db").unlink()
    engine = create_engine(f"sqlite:///{old / 'sendoff.db'}")
    with engine.begin() as connection:
        migrate.upgrade(connection, "0006")
        columns = ", ".join(space)
        connection.exec_driver_sql(
            f"INSERT INTO workspaces ({columns}) VALUES ({', '.join('?' * len(space))})", tuple(space.values())
        )
        connection.execute(insert(models), held)
    engine.dispose()
    with open_store(old, environ={}) as store, store.read() as connection:
        assert sorted(connection.execute(select(model_labels)).all()) == wanted
        assert [model.id for model in Registry(store).list("ws", tags=[("é", None)])] == ["m:2"]
    assert len(list((old / "backups").iterdir())) == 1
