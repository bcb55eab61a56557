"""One small insurer for the session, made by the demo's own builders."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest

from demo.building import SEED
from demo.documents import write_documents
from demo.semantic import model_text
from demo.warehouse import build_warehouse
from text2sql.semantics import SemanticModel
from text2sql.semantics import load as load_model
from text2sql.types import Catalog
from text2sql.warehouses import open_warehouse

CUSTOMERS = 1000
Query = Callable[..., list[tuple[Any, ...]]]


@pytest.fixture(scope="session")
def warehouse_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("insurer") / "warehouse.duckdb"
    build_warehouse(path, CUSTOMERS, SEED)
    return path


@pytest.fixture
def query(warehouse_file: Path) -> Iterator[Query]:
    """Rows of a statement over the warehouse."""
    with duckdb.connect(str(warehouse_file), read_only=True) as connection:

        def rows(sql: str, *values: Any) -> list[tuple[Any, ...]]:
            return connection.execute(sql, list(values)).fetchall()

        yield rows


@pytest.fixture(scope="session")
def papers(warehouse_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of documents."""
    folder = tmp_path_factory.mktemp("documents")
    write_documents(folder, warehouse_file)
    return folder


@pytest.fixture(scope="session")
def catalog(warehouse_file: Path) -> Catalog:
    """The warehouse as the product reads it."""
    warehouse = open_warehouse(warehouse_file)
    try:
        return warehouse.catalog()
    finally:
        warehouse.close()


@pytest.fixture(scope="session")
def model(tmp_path_factory: pytest.TempPathFactory) -> SemanticModel:
    """The semantic model as the product reads it from a home."""
    path = tmp_path_factory.mktemp("model") / "semantic.yaml"
    path.write_text(model_text(), encoding="utf-8")
    return load_model(path)
