"""The second wall in SQLite: its own authorizer, asked for every action a statement would take.

The guard decides first; this holds even for a statement the guard misread. Views and triggers are looked through
by SQLite itself, so what they read is asked for as well.
"""

from __future__ import annotations

import sqlite3


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_FUNCTIONS = _words(
    """
    abs acos acosh asin asinh atan atan2 atanh avg ceil ceiling char coalesce concat concat_ws cos cosh count
    cume_dist current_date current_time current_timestamp date datetime degrees dense_rank exp first_value floor
    format glob group_concat hex if ifnull iif instr json json_array json_array_length json_each
    json_error_position json_extract json_pretty median percentile percentile_cont percentile_disc unistr unistr_quote
    json_group_array json_group_object json_insert json_object json_patch json_quote json_remove json_replace json_set
    json_tree json_type json_valid julianday lag last_value lead length like likely ln log log10 log2 lower
    ltrim match max min mod nth_value ntile nullif octet_length percent_rank pi pow power printf quote radians random
    rank replace round row_number rtrim sign sin sinh soundex sqrt strftime string_agg substr substring
    sum tan tanh time timediff total trim trunc typeof unhex unicode unixepoch unlikely upper -> ->>
    """
)
"""Not on it: load_extension, readfile, writefile, edit, fts3_tokenizer, zeroblob, randomblob, sqlite_*."""
_PRAGMAS = frozenset({"data_version"})
"""Asked by full-text tables of themselves; it tells a number and changes nothing."""
_SYSTEM = ("sqlite_", "pragma_", "dbstat")


def authorize(
    action: int,
    first: str | None = None,
    second: str | None = None,
    _database: str | None = None,
    _inside: str | None = None,
) -> int:
    """Allow reading tables that are not SQLite's own, known functions and recursion; deny everything else."""
    allowed = False
    if action in (sqlite3.SQLITE_SELECT, sqlite3.SQLITE_RECURSIVE):
        allowed = True
    elif action == sqlite3.SQLITE_READ:
        allowed = not (first or "").casefold().startswith(_SYSTEM)
    elif action == sqlite3.SQLITE_FUNCTION:
        allowed = (second or "").casefold() in _FUNCTIONS
    elif action == sqlite3.SQLITE_PRAGMA:
        allowed = (first or "").casefold() in _PRAGMAS and second is None
    return sqlite3.SQLITE_OK if allowed else sqlite3.SQLITE_DENY
