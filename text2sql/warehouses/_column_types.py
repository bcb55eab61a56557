"""Types for the columns of a text file, decided over every row, so that no value is lost or changed.

An engine's sniffer looks at the first rows and at what *could* be a number: `04` becomes 4 and a postal code an
integer. Here a column is a number only if every value is one and none has a leading zero, and never when its name
says code. Numbers such as 20190101 stay numbers; the semantic model reads them as dates.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from text2sql.key_names import Name
from text2sql.profiling import quoted

_MISSING = "'NA', 'N/A', 'NULL', 'null', 'None', 'NaN', 'nan', '\\N'"
"""Read as NULL in a column that is otherwise of one type; text keeps them."""
_TESTS = {
    "padded": r"[+-]?0[0-9].*",
    "BIGINT": r"[+-]?[0-9]{1,18}",
    "DOUBLE": r"[+-]?([0-9]{1,18}(\.[0-9]*)?|\.[0-9]+)([eE][+-]?[0-9]{1,3})?",
    "grouped": r"[+-]?([0-9]{1,3}(,[0-9]{3})+|[0-9]{1,3})(\.[0-9]+)?",
    "BOOLEAN": r"(?i)true|false",
    "DATE": r"[0-9]{4}([-/])[0-9]{1,2}[-/][0-9]{1,2}",
    "TIMESTAMP": r"[0-9]{4}[-/][0-9]{1,2}[-/][0-9]{1,2}[ T][0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]{1,6})?)?",
}
_CODE_WORDS = {
    "zip", "zipcode", "postal", "postcode", "postalcode", "tel", "telephone", "phone", "fax", "mobile", "isbn", "ssn",
}  # fmt: skip
_CODE_ENDINGS = ("code", "cd", "コード", "番号", "郵便番号", "電話番号")

Rows = Callable[[str], list[tuple[Any, ...]]]


def is_code(name: str) -> bool:
    """Whether a name says that digits in the column are a code, not a number."""
    words = Name.of(name).words
    return bool(words) and (bool(_CODE_WORDS.intersection(words)) or words[-1].endswith(_CODE_ENDINGS))


def decide(rows: Rows, table: str, columns: tuple[str, ...]) -> dict[str, str]:
    """Column -> `VARCHAR`, `BIGINT`, `DOUBLE`, `grouped`, `BOOLEAN`, `DATE` or `TIMESTAMP`, and `padded` for codes.

    `table` is a quoted name; every column of it is text.
    """
    found: dict[str, str] = {}
    for start in range(0, len(columns), 20):
        group = columns[start : start + 20]
        tests = ", ".join(part for name in group for part in _aggregates(quoted(name)))
        (answers,) = rows(f"SELECT {tests} FROM {table}")  # noqa: S608 - quoted names
        width = len(_TESTS) + 1
        for at, name in enumerate(group):
            found[name] = _decided(name, answers[at * width : (at + 1) * width])
    return found


def _aggregates(column: str) -> list[str]:
    known = f"FILTER ({column} NOT IN ({_MISSING}))"
    parts = [f"count({column}) {known}"]
    for kind, pattern in _TESTS.items():
        test = f"regexp_full_match({column}, '{pattern}')"
        if kind in ("DATE", "TIMESTAMP"):
            test += f" AND TRY_CAST(replace({column}, '/', '-') AS {kind}) IS NOT NULL"
        parts.append(f"{'bool_or' if kind == 'padded' else 'bool_and'}({test}) {known}")
    return parts


def _decided(name: str, answers: tuple[Any, ...]) -> str:
    count, padded, *fits = answers
    kinds = [kind for kind, fit in zip(list(_TESTS)[1:], fits, strict=True) if fit]
    if not count or not kinds:
        return "VARCHAR"
    kind = kinds[0]
    if kind in ("BIGINT", "DOUBLE") and (padded or is_code(name)):
        return "padded" if kinds[0] == "BIGINT" or padded else "VARCHAR"
    return kind


def harmonised(types: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """Table -> column -> type, where a column that is a code in one file is text in all that have it.

    `007` in one file and `7` in another would otherwise be text here and a number there, and never join.
    """
    codes = {
        name.casefold() for columns in types.values() for name, kind in columns.items() if kind == "padded"
    }
    return {
        table: {
            name: "VARCHAR" if kind == "padded" or (name.casefold() in codes and kind == "BIGINT") else kind
            for name, kind in columns.items()
        }
        for table, columns in types.items()
    }


def cast(column: str, kind: str) -> str:
    """The expression that gives a text column its type."""
    name = quoted(column)
    if kind == "VARCHAR":
        return name
    known = f"CASE WHEN {name} IN ({_MISSING}) THEN NULL ELSE {name} END"
    if kind == "grouped":
        return f"CAST(replace({known}, ',', '') AS DOUBLE) AS {name}"
    if kind in ("DATE", "TIMESTAMP"):
        known = f"replace({known}, '/', '-')"
    return f"CAST({known} AS {kind}) AS {name}"
