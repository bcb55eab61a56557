"""Settings: the only reader of the environment and of the settings file.

`$BUNMYAKU_HOME/config.yaml` (default home `~/.bunmyaku`) holds them; every path in it is relative to the home.

    warehouse: warehouse.duckdb          # a file, a folder of CSV/Parquet, duckdb:///… sqlite:///… postgresql://…
    documents:                           # folders that `bunmyaku ingest` reads when no path is given
      - {name: handbook, path: documents}
    semantic_model: semantic.yaml
    policy: policy.yaml                  # leave out: every table is readable and every answer says so
    glossary: glossary.yaml
    verified: verified.yaml
    situational: situational.yaml
    users: {file: users.yaml}            # or {sql: SELECT id, name, language, tenant, roles, attributes FROM …}
    default_user: ana                    # who asks when `--user` is not given
    database: {dsn: null}                # null: the embedded PostgreSQL in the home
    embeddings: minilm                   # minilm, none, or provider:model
    model: none                          # or provider:name, replay:FILE, or a mapping (see `ModelSettings`)
    budget: 4000                         # tokens of context
    limits: {rows: 10000, seconds: 30}   # see `QueryLimits`

Variables that override the file: BUNMYAKU_DATABASE_DSN, BUNMYAKU_EMBEDDINGS, BUNMYAKU_MODEL, BUNMYAKU_USER,
BUNMYAKU_WAREHOUSE.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import yaml
from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    field_validator,
    model_validator,
)

from app.errors import SettingsError
from retrieval.yaml_files import read_yaml
from text2sql.warehouses import is_server

CONFIG = "config.yaml"
_OVERRIDES = {
    "EMBEDDINGS": "embeddings",
    "USER": "default_user",
    "WAREHOUSE": "warehouse",
}
"""`BUNMYAKU_…` -> the setting it overrides."""


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class DocumentFolder(_Part):
    """A folder to ingest: `name` is its source name, stable over moves of the folder."""

    name: str
    path: str


class Users(_Part):
    """Where callers are known: a YAML file, or a query over the relational store."""

    file: str = ""
    sql: str = ""

    @model_validator(mode="after")
    def _one(self) -> Users:
        if bool(self.file) == bool(self.sql):
            raise ValueError("users: give either `file` or `sql`")
        return self


class DatabaseSettings(_Part):
    """The relational store; without a DSN the embedded server in the home."""

    dsn: SecretStr | None = None


class ModelSettings(_Part):
    """The chat model; a text alone is its `name`.

    model:
      name: bedrock:anthropic.claude-3-5-sonnet-20240620-v1:0    # none, provider:name or replay:FILE
      options: {region_name: us-east-1}                          # handed to LangChain as they are
      seconds: 60      # for one use of the model, its repetitions included
      rounds: 3        # drafts that are put to the guard for one question
      tokens: 6000     # of schema, metrics, examples and passages in one prompt
    """

    name: str = "none"
    # May hold keys: never shown, not even when the settings are printed.
    options: dict[str, Any] = Field(default_factory=dict, repr=False)
    seconds: float = Field(default=60.0, gt=0, le=600)
    rounds: int = Field(default=3, ge=1, le=6)
    tokens: int = Field(default=6000, ge=500, le=200_000)

    @model_validator(mode="before")
    @classmethod
    def _named(cls, value: Any) -> Any:
        if value is None or value is False:
            return {}
        return {"name": value} if isinstance(value, str) else value

    @field_validator("name")
    @classmethod
    def _stripped(cls, value: str) -> str:
        return value.strip() or "none"


class DailySettings(_Part):
    """What one caller may spend a day; null: no limit of that kind."""

    queries: int | None = Field(default=None, ge=1, le=10**15)
    seconds: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    rows: int | None = Field(default=None, ge=1, le=10**18)


class DailyBudget(DailySettings):
    """The same for everyone, but for the callers of these roles; of several roles the most generous counts."""

    roles: dict[str, DailySettings] = Field(default_factory=dict)
    time_zone: str = "UTC"

    @field_validator("time_zone")
    @classmethod
    def _known(cls, value: str) -> str:
        try:
            return ZoneInfo(value).key
        except (ValueError, OSError, LookupError):
            raise ValueError(f"there is no time zone {value!r}; write one such as Asia/Tokyo") from None


class QueryLimits(_Part):
    """What one query may use; rows and bytes beyond are cut and said, time and memory stop it.

    limits:
      rows: 10000               # of a result; more are cut, and the answer says so
      seconds: 30               # of one query; then it is stopped
      bytes: 268435456          # of a result
      memory: 2147483648        # bytes of one query
      confirm_rows: 50000000    # asked first when the engine expects to read more; null: never
      estimated_rows: null      # refused when the engine expects to read more
      daily: {queries: null, seconds: null, rows: null, time_zone: UTC, roles: {analyst: {queries: 500}}}
    """

    rows: int = Field(default=10_000, ge=1)
    seconds: float = Field(default=30.0, gt=0)
    bytes: int = Field(default=256 * 1024 * 1024, ge=1024)
    memory: int = Field(default=2 * 1024**3, ge=64 * 1024**2)
    confirm_rows: int | None = Field(default=50_000_000, ge=1)
    estimated_rows: int | None = Field(default=None, ge=1)
    daily: DailyBudget = DailyBudget()


class Settings(_Part):
    """Everything that can be set. Build with `load`."""

    home: Path
    warehouse: str = Field(default="", repr=False)  # its URL may hold a password
    documents: tuple[DocumentFolder, ...] = ()
    semantic_model: str = ""
    policy: str = ""
    glossary: str = ""
    verified: str = ""
    situational: str = ""
    users: Users | None = None
    default_user: str = ""
    database: DatabaseSettings = DatabaseSettings()
    embeddings: str = "minilm"
    model: ModelSettings = ModelSettings()
    budget: int = Field(default=4000, ge=200)
    limits: QueryLimits = QueryLimits()

    def path(self, name: str) -> Path:
        """A path of the settings file, resolved against the home."""
        return self.home / Path(name).expanduser()

    def warehouse_url(self) -> str:
        """The warehouse as `open_warehouse` takes it: URLs with a relative path are resolved, servers' are left."""
        if is_server(self.warehouse):
            return self.warehouse
        scheme, separator, rest = self.warehouse.partition(":///")
        if separator:
            return f"{scheme}:///{self.path(rest)}" if not rest.startswith("/") else self.warehouse
        return str(self.path(self.warehouse))


def home_folder(environment: Mapping[str, str] | None = None) -> Path:
    """The home that applies: `BUNMYAKU_HOME`, else `~/.bunmyaku`. Raises `SettingsError` where there is neither."""
    values = os.environ if environment is None else environment
    try:
        return Path(values.get("BUNMYAKU_HOME") or Path.home() / ".bunmyaku").expanduser().absolute()
    except RuntimeError as error:  # no HOME, and a user that the system has no entry for
        raise SettingsError(
            "There is no home folder for this user", where="HOME", todo="Set BUNMYAKU_HOME to a folder."
        ) from error


def warehouse_override(environment: Mapping[str, str] | None = None) -> str:
    """`BUNMYAKU_WAREHOUSE`: the warehouse where the file should not hold its password; "" where it is not set."""
    return (os.environ if environment is None else environment).get("BUNMYAKU_WAREHOUSE", "")


def has_config(home: Path) -> bool:
    """Whether a home was set up (by `init`, `demo` or by hand)."""
    return (home / CONFIG).is_file()


def load(home: Path | None = None, environment: Mapping[str, str] | None = None) -> Settings:
    """Read the home's settings file, if any, and the variables that override it. Raises `SettingsError`."""
    values = os.environ if environment is None else environment
    home = home or home_folder(values)
    file = home / CONFIG
    raw = _read(file) if file.is_file() else {}
    for variable, key in _OVERRIDES.items():
        if values.get(f"BUNMYAKU_{variable}"):
            raw[key] = values[f"BUNMYAKU_{variable}"]
    if values.get("BUNMYAKU_MODEL"):
        raw["model"] = _other_model(raw.get("model"), values["BUNMYAKU_MODEL"])
    if values.get("BUNMYAKU_DATABASE_DSN"):
        raw["database"] = {"dsn": values["BUNMYAKU_DATABASE_DSN"]}
    try:
        return Settings.model_validate({**raw, "home": home})
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SettingsError(
            f"A setting cannot be used: {first['msg'].removeprefix('Value error, ')}",
            where=f"{file}: {place}",
            todo="Mend it and try again.",
        ) from None  # the validation error repeats the input, which may hold a password


def _other_model(written: Any, name: str) -> dict[str, Any]:
    """The model of the variable; the file's options go with it only when it is of the same provider."""
    kept = dict(written) if isinstance(written, dict) else {}
    before = str(kept.get("name", "")).partition(":")[0]
    if before != name.strip().partition(":")[0]:
        kept.pop("options", None)
    return {**kept, "name": name}


def _read(file: Path) -> dict[str, Any]:
    try:
        raw = read_yaml(file.read_text(encoding="utf-8")) or {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError("The settings file cannot be read", where=str(file), todo=str(error)) from error
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = f"{file}, line {mark.line + 1}" if mark else str(file)
        raise SettingsError(
            "The settings file is not YAML", where=place, todo="Mend it and try again."
        ) from None
    if not isinstance(raw, dict):
        raise SettingsError(
            "The settings file is not a mapping", where=str(file), todo="Write `name: value` lines."
        )
    return raw
