"""Composition in plain functions: from settings to an assistant, each part built once and named where it is used."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from types import ModuleType, TracebackType
from typing import TYPE_CHECKING, Self

import ingest
import retrieval
from app.assistant import Assistant
from app.catalog_index import synchronise
from app.directory import Directory, FileDirectory, SqlDirectory
from app.errors import SettingsError
from app.models import open_model
from app.record import MIGRATIONS, RecordStore
from app.scopes import Scopes
from app.settings import ModelSettings, Settings
from app.spending import purse_of
from app.suggesting import suggested
from app.walk import Scope, Warehousing
from app.withholding import Beyond
from app.writing import Writer
from retrieval import conversations, stores
from retrieval.embeddings import EmbeddingModel, build_embeddings
from retrieval.postgres.database import Database, open_database
from retrieval.postgres.migrations import migrate
from retrieval.retriever import Retriever
from retrieval.situational.declared import load_sources
from retrieval.situational.profile import ProfileSource
from retrieval.types import (
    Clock,
    ConversationStore,
    Language,
    Principal,
    Progress,
    SemanticStore,
    SituationalSource,
    system_clock,
)
from text2sql.additivity import with_additivity
from text2sql.documents import catalog_documents
from text2sql.drafters import build as build_drafter
from text2sql.glossary import Glossary
from text2sql.glossary import load as load_glossary
from text2sql.guard import SqlGuard
from text2sql.policy import known_catalog, visible_catalog
from text2sql.policy import load as load_policy
from text2sql.row_security import behind
from text2sql.scoped_profiles import with_scoped_profiles
from text2sql.semantics import SemanticModel, check
from text2sql.semantics import load as load_model
from text2sql.types import Catalog, Drafter, Limits
from text2sql.values import ValueIndex
from text2sql.verified import VerifiedQueries
from text2sql.verified import load as load_verified
from text2sql.warehouses import open_warehouse, session_for

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel


@dataclass(frozen=True)
class Stores:
    """The parts that live in the relational store: what ingest and the assistant share."""

    settings: Settings
    database: Database
    model: EmbeddingModel | None
    store: SemanticStore
    clock: Clock

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the relational store; the last user stops an embedded server."""
        self.database.close()


@dataclass(frozen=True)
class Application:
    """An assistant with what its faces (CLI, chat) need beside it. A context manager."""

    stores: Stores
    assistant: Assistant
    directory: Directory | None
    records: RecordStore
    conversations: ConversationStore
    warehousing: Warehousing | None
    verified: VerifiedQueries

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Close the warehouse and the relational store."""
        if self.warehousing is not None:
            self.warehousing.warehouse.close()
        self.stores.close()

    def principal(self, user_id: str | None) -> Principal:
        """The caller of that id, or the default user. Raises `UnknownUser`, `SettingsError`."""
        wanted = user_id or self.stores.settings.default_user
        if self.directory is None or not wanted:
            raise SettingsError(
                "Nobody is known who could ask",
                where="config.yaml: users, default_user",
                todo="Run `bunmyaku init`, or name a user with `--user`.",
            )
        return self.directory.lookup(wanted)

    def suggested(self, principal: Principal, language: Language) -> list[str]:
        """Verified questions, in this language, that this caller can ask as they stand."""
        side = self.warehousing
        return suggested(self.verified, side, principal, language) if side else []

    def problems(self) -> list[str]:
        """What of the semantic model does not fit the warehouse: nothing of it can be asked for."""
        side = self.warehousing
        return check(side.model, side.warehouse.catalog()) if side else []


def open_stores(settings: Settings, *, clock: Clock = system_clock) -> Stores:
    """Start (or reach) the relational store, bring its schema up to date, and load the embedder."""
    model = None if settings.embeddings == "none" else build_embeddings(settings.embeddings)
    dsn = settings.database.dsn.get_secret_value() if settings.database.dsn else None
    database = open_database(settings.home, dsn)
    try:
        migrate(database, "retrieval", _migrations(retrieval))
        migrate(database, "ingest", _migrations(ingest))
        migrate(database, "app", MIGRATIONS)
        store = stores.build("pgvector", {"database": database, "model": model})
    except BaseException:
        database.close()
        raise
    return Stores(settings, database, model, store, clock)


def open_application(
    settings: Settings, *, clock: Clock = system_clock, progress: Progress | None = None
) -> Application:
    """Everything wired. Raises the errors of the parts; nothing is left open when one of them fails."""
    opened = open_stores(settings, clock=clock)
    try:
        return _application(opened, progress)
    except BaseException:
        opened.close()
        raise


def _application(opened: Stores, progress: Progress | None) -> Application:
    settings = opened.settings
    verified = load_verified(settings.path(settings.verified)) if settings.verified else VerifiedQueries()
    chat = open_model(settings.model, settings.home)
    warehousing = _warehousing(opened, verified, chat, progress)
    turns = conversations.build("postgres", {"database": opened.database})
    sources: list[SituationalSource] = [ProfileSource(opened.clock)]
    if settings.situational:
        sources += load_sources(settings.path(settings.situational), opened.database, opened.clock)
    records = RecordStore(opened.database)
    assistant = Assistant(
        retriever=Retriever(opened.store, opened.model, sources, opened.clock, conversations=turns),
        records=records,
        conversations=turns,
        clock=opened.clock,
        warehousing=warehousing,
        budget=settings.budget,
        versions=_versions(opened, warehousing),
        writer=Writer(chat, settings.model.seconds) if chat is not None else None,
    )
    return Application(
        opened, assistant, _directory(settings, opened.database), records, turns, warehousing, verified
    )


def _directory(settings: Settings, database: Database) -> Directory | None:
    if settings.users is None:
        return None
    if settings.users.sql:
        return SqlDirectory(database, settings.users.sql)
    return FileDirectory(settings.path(settings.users.file))


def _warehousing(
    opened: Stores, verified: VerifiedQueries, chat: BaseChatModel | None, progress: Progress | None
) -> Warehousing | None:
    settings = opened.settings
    if not settings.warehouse:
        return None
    model = load_model(settings.path(settings.semantic_model)) if settings.semantic_model else SemanticModel()
    written = load_policy(settings.path(settings.policy)) if settings.policy else None
    glossary = load_glossary(settings.path(settings.glossary)) if settings.glossary else Glossary()
    warehouse = open_warehouse(
        settings.warehouse_url(), cache=settings.home / "cache", memory=settings.limits.memory
    )
    policy = behind(warehouse, written)
    try:
        catalog = warehouse.catalog()
        chunks = catalog_documents(catalog, model, glossary, verified, policy)
        synchronise(opened.database, opened.store, opened.model, chunks, progress)
    except BaseException:
        warehouse.close()
        raise
    guard = SqlGuard()

    def build_scope(principal: Principal) -> Scope:
        seen = warehouse.catalog()
        if policy is not None:
            seen = visible_catalog(policy, seen, principal)
            as_them = session_for(warehouse, principal, "profiles")
            seen = with_scoped_profiles(seen, principal, policy, guard, as_them)
        seen = with_additivity(seen, model)
        parts = {"catalog": seen, "model": model, "glossary": glossary, "verified": verified}
        offline = offline_over(seen)
        drafter = _with_model(chat, settings.model, offline, {**parts, "clock": opened.clock})
        return Scope(seen, drafter, beyond(seen, principal))

    def offline_over(named: Catalog) -> Drafter:
        return build_drafter(
            "offline",
            {
                "catalog": named,
                "model": model,
                "values": ValueIndex.of(named, model),
                "glossary": glossary,
                "verified": verified,
                "clock": opened.clock,
            },
        )

    def beyond(seen: Catalog, principal: Principal) -> Beyond | None:
        if policy is None:
            return None
        known = known_catalog(policy, warehouse.catalog(), principal)
        if len(known.tables) == len(seen.tables):
            return None
        return Beyond(offline_over(known), seen, policy)

    return Warehousing(
        warehouse,
        guard,
        policy,
        model,
        Scopes(build_scope),
        Limits(**settings.limits.model_dump(exclude={"daily"})),
        purse_of(settings.limits.daily, opened.database, opened.clock),
        settings.model.rounds,
    )


def _with_model(
    chat: BaseChatModel | None, settings: ModelSettings, offline: Drafter, parts: Mapping[str, object]
) -> Drafter:
    """The model's drafter over what one caller sees, with the offline one behind it; that one alone without a model.

    What lies beyond the caller's sight (`Beyond`) is never given to a model: its drafter is the offline one.
    """
    if chat is None:
        return offline
    own = {"chat": chat, "fallback": offline, "seconds": settings.seconds, "tokens": settings.tokens}
    return build_drafter("model", {**parts, **own})


def _versions(opened: Stores, warehousing: Warehousing | None) -> dict[str, str]:
    settings = opened.settings
    versions = {
        "bunmyaku": metadata.version("bunmyaku"),
        "embedder": opened.model.identity if opened.model else "none",
        "model": settings.model.name,
    }
    if warehousing is not None:
        versions["dialect"] = warehousing.warehouse.dialect
        versions["catalog"] = warehousing.warehouse.catalog().fingerprint
        for name in ("semantic_model", "policy", "glossary", "verified"):
            file = getattr(settings, name)
            if file:
                versions[name] = _hash(settings.path(file))
    return versions


def _migrations(package: ModuleType) -> Path:
    return Path(str(package.__file__)).parent / "migrations"


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
