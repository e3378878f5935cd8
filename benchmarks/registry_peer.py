"""MLflow's registry on SQLite, for `registry.py --peer`: filled by SQL, then searched and registered into by its store.

Run by an interpreter that has MLflow: registry_peer.py DATABASE LOOKS ROWS… Prints a JSON line a figure.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from mlflow import __version__
from mlflow.store.model_registry.dbmodels.models import SqlModelVersion, SqlModelVersionTag, SqlRegisteredModel
from mlflow.store.model_registry.sqlalchemy_store import SqlAlchemyStore

VERSIONS, PAGE = 100, 50


def fill(store: SqlAlchemyStore, first: int, last: int) -> None:
    """Versions with two tags each, as the other side's."""
    columns = {column.name for column in SqlModelVersion.__table__.columns}
    own = {"workspace": "default"} if "workspace" in columns else {}
    with store.ManagedSessionMaker() as session:
        for number in range(first, last):
            name, version, now = f"model-{number // VERSIONS:05}", number % VERSIONS + 1, 10**12 + number * 1000
            if version == 1:
                session.execute(
                    SqlRegisteredModel.__table__.insert(),
                    {"name": name, "creation_time": now, "last_updated_time": now, **own},
                )
            row = {"name": name, "version": version, "creation_time": now, "last_updated_time": now, "source": "s"}
            more = {"current_stage": "None", "run_id": f"run-{number // 10}", "status": "READY", **own}
            session.execute(SqlModelVersion.__table__.insert(), {**row, **more})
            tags = {"area": f"area-{number % 10}", "stage": "prod" if number % 100 == 7 else "dev"}
            for key, value in tags.items():
                tag = {"name": name, "version": version, "key": key, "value": value, **own}
                session.execute(SqlModelVersionTag.__table__.insert(), tag)


def looks(count: int, **asked: Any) -> list[float]:
    """Milliseconds of each search."""
    taken = []
    for number in range(count + 3):
        began = time.perf_counter()
        store.search_model_versions(max_results=PAGE, order_by=["creation_timestamp DESC"], **asked)
        if number >= 3:
            taken.append((time.perf_counter() - began) * 1e3)
    return taken


def told(rows: int, name: str, taken: list[float]) -> None:
    print(json.dumps([str(rows), name, taken]), flush=True)


store = SqlAlchemyStore(f"sqlite:///{sys.argv[1]}", "/nowhere")
print("mlflow", __version__, file=sys.stderr)
there, count = 0, int(sys.argv[2])
for rows in map(int, sys.argv[3:]):
    fill(store, there, rows)
    there, middle = rows, rows // 2
    from mlflow.utils.search_utils import SearchUtils

    far = SearchUtils.create_page_token(rows * 9 // 10)
    told(rows, "first page", looks(count))
    told(rows, "far page", looks(count, page_token=far))
    told(rows, "of a name", looks(count, filter_string=f"name='model-{middle // VERSIONS:05}'"))
    told(rows, "of a run", looks(count, filter_string=f"run_id='run-{middle // 10}'"))
    told(rows, "tag of a tenth", looks(count, filter_string="tags.area='area-3'"))
    told(rows, "tag of a hundredth", looks(count, filter_string="tags.stage='prod'"))
    store.create_registered_model(f"rate-{rows}")
    began = time.perf_counter()
    for number in range(100):
        store.create_model_version(f"rate-{rows}", "s", f"run-{number}")
    told(rows, "registrations/s", [100 / (time.perf_counter() - began)])
