from __future__ import annotations

from pathlib import Path

import pytest

from app.errors import SettingsError
from app.settings import has_config, home_folder, load


def write(home: Path, text: str) -> Path:
    (home / "config.yaml").write_text(text, encoding="utf-8")
    return home


def test_an_empty_home_has_defaults(tmp_path: Path) -> None:
    settings = load(tmp_path, {})
    assert not has_config(tmp_path)
    assert (settings.embeddings, settings.model.name, settings.budget) == ("minilm", "none", 4000)
    assert settings.users is None


def test_home_comes_from_the_environment(tmp_path: Path) -> None:
    assert home_folder({"BUNMYAKU_HOME": str(tmp_path)}) == tmp_path
    assert home_folder({}) == Path.home() / ".bunmyaku"


def test_a_user_without_any_home_folder_is_told(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def lacking() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.setattr(Path, "home", lacking)
    with pytest.raises(SettingsError, match="home folder"):
        home_folder({})
    assert home_folder({"BUNMYAKU_HOME": str(tmp_path)}) == tmp_path


def test_paths_are_relative_to_the_home(tmp_path: Path) -> None:
    settings = load(write(tmp_path, "warehouse: data/w.duckdb\npolicy: policy.yaml\n"), {})
    assert settings.warehouse_url() == str(tmp_path / "data/w.duckdb")
    assert settings.path(settings.policy) == tmp_path / "policy.yaml"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("sqlite:///w.db", "sqlite:///{home}/w.db"),
        ("duckdb:////abs/w.duckdb", "duckdb:////abs/w.duckdb"),
        ("/abs/f", "/abs/f"),
    ],
)
def test_warehouse_urls(tmp_path: Path, given: str, expected: str) -> None:
    settings = load(write(tmp_path, f"warehouse: {given}\n"), {})
    assert settings.warehouse_url() == expected.format(home=tmp_path)


def test_variables_override_the_file(tmp_path: Path) -> None:
    home = write(tmp_path, "embeddings: minilm\ndefault_user: ana\n")
    environment = {
        "BUNMYAKU_EMBEDDINGS": "none",
        "BUNMYAKU_MODEL": "bedrock:x",
        "BUNMYAKU_USER": "kenji",
        "BUNMYAKU_DATABASE_DSN": "postgresql://u:secret@h/d",
    }
    settings = load(home, environment)
    assert (settings.embeddings, settings.model.name, settings.default_user) == ("none", "bedrock:x", "kenji")
    assert settings.database.dsn is not None
    assert "secret" not in repr(settings)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("warehouse: [", "line 1"),
        ("- a\n- b\n", "not a mapping"),
        ("wharehouse: x\n", "wharehouse"),
        ("budget: 3\n", "budget"),
        ("users: {file: a, sql: b}\n", "either"),
        ("limits: {rows: 0}\n", "limits.rows"),
    ],
)
def test_a_broken_file_says_where(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(SettingsError) as caught:
        load(write(tmp_path, text), {})
    assert says in str(caught.value)
    assert "config.yaml" in str(caught.value)


def test_a_refused_setting_does_not_repeat_a_password(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as caught:
        load(write(tmp_path, "database: {dsn: {password: hunter2}}\n"), {})
    assert "hunter2" not in str(caught.value)


def test_unreadable_file(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SettingsError):
        load(tmp_path, {})


@pytest.mark.parametrize("url", ["postgresql://u@h/db?schemas=a", "postgres:///db?host=/run", "mysql://h/db"])
def test_the_url_of_a_server_is_left_as_it_is(tmp_path: Path, url: str) -> None:
    (tmp_path / "config.yaml").write_text(f"warehouse: {url}\n")
    assert load(tmp_path, {}).warehouse_url() == url


def test_a_warehouses_password_may_stay_out_of_the_file_and_is_in_no_repr(tmp_path: Path) -> None:
    (tmp_path / "config.yaml").write_text("warehouse: postgresql://u@h/db\n")
    settings = load(tmp_path, {"BUNMYAKU_WAREHOUSE": "postgresql://u:secret@h/db"})
    assert settings.warehouse_url() == "postgresql://u:secret@h/db"
    assert "secret" not in repr(settings)


def test_a_daily_budget_is_read_with_its_roles_and_a_time_zone_that_exists(tmp_path: Path) -> None:
    config = tmp_path / "config.yaml"
    config.write_text(
        "limits: {daily: {queries: 5, time_zone: Asia/Tokyo, roles: {analyst: {rows: 9}}}}\n",
        encoding="utf-8",
    )
    limits = load(tmp_path, {}).limits
    assert (limits.daily.queries, limits.daily.roles["analyst"].rows) == (5, 9)
    assert limits.confirm_rows == 50_000_000
    config.write_text("limits: {daily: {time_zone: Mars/Olympus}}\n", encoding="utf-8")
    with pytest.raises(SettingsError, match="no time zone 'Mars/Olympus'"):
        load(tmp_path, {})
