"""Verified questions that a caller can ask as they stand, and whose words tell them nothing they may not see."""

from __future__ import annotations

from datetime import date

from sqlglot import exp, parse_one
from sqlglot.errors import SqlglotError

from app.walk import Warehousing
from retrieval.types import Language, Principal
from text2sql.types import Catalog
from text2sql.verified import VerifiedQueries


def suggested(
    verified: VerifiedQueries, side: Warehousing, principal: Principal, language: Language
) -> list[str]:
    """Questions in this language whose query the guard allows this caller.

    Where the guard leaves rows out or masks, a question that names a value (a customer, a place) is suggested only
    if the caller's own rows hold it: the question says what the query says.
    """
    whole = side.warehouse.catalog()
    found = []
    for query in verified.queries:
        question = query.question.ja if language == "ja" else query.question.en
        verdict = side.guard.check(query.sql, whole, principal, side.policy) if question else None
        if verdict is None or not verdict.allowed:
            continue
        narrowed = verdict.row_rules or verdict.masked
        if not narrowed or named_values(query.sql, whole) <= _held(side.scope_for(principal).catalog):
            found.append(question)
    return found


def named_values(sql: str, catalog: Catalog) -> set[str]:
    """The strings that a query names, dates apart; raises nothing, since the guard has parsed it."""
    try:
        parsed = parse_one(sql, dialect=catalog.dialect)
    except SqlglotError:
        return set()
    return {
        literal.name
        for literal in parsed.find_all(exp.Literal)
        if literal.is_string and not _dated(literal.name)
    }


def _held(catalog: Catalog) -> set[str]:
    """The values that the caller's profiles show."""
    profiles = [column.profile for table in catalog.tables for column in table.columns if column.profile]
    return {value for profile in profiles for value in profile.values}


def _dated(text: str) -> bool:
    try:
        date.fromisoformat(text[:10])
    except ValueError:
        return False
    return True
