"""The guard: what may run, and as what.

It reads like a proof over one tree; each step is one file, and stops at the first thing it cannot prove:

1. reading     one statement, in the dialect, bounded           empty, too_long, many_statements, not_a_query, syntax, hint
2. wording     what the parser forgives and engines do not      syntax, duplicate_name
3. gate        every node and argument only reads               not_read_only, node, argument, type, placeholder, recursion
4. functions   every call by name and number of arguments       function, arguments, unbounded
5. resolve     every name, as the engine reads names            unknown_table, unknown_column, ambiguous_column, aggregate …
6. sizes       no value grows past any memory                   unbounded
7. grouping    what stands beside an aggregate                  ungrouped
8. operands    kinds of values that an operator does not take   type
9. warnings    what may run and still be wrong                  (refuses nothing)
10. rewrite    the caller's rows and columns, at every scan     policy_broken
11. regenerate only our own text, read back and compared        changed

Whatever goes wrong inside is a refusal too (`internal`): the guard never fails open and never raises.
"""

from __future__ import annotations

from retrieval.types import Principal
from text2sql.guard.absent import check_absent
from text2sql.guard.allowlist import Allowlist, allowlist
from text2sql.guard.cut import check_cut
from text2sql.guard.engines import ENGINES
from text2sql.guard.functions import check_functions
from text2sql.guard.gate import check_nodes
from text2sql.guard.grouping import check_grouping
from text2sql.guard.operands import check_operands
from text2sql.guard.reading import Statement, read
from text2sql.guard.refusal import Refused, position
from text2sql.guard.regenerate import write_out
from text2sql.guard.resolve import Resolver
from text2sql.guard.rewrite import write_policies
from text2sql.guard.sizes import check_sizes
from text2sql.guard.tables import Tables
from text2sql.guard.warnings import warnings_for
from text2sql.guard.wording import check_wording
from text2sql.policy import Policy
from text2sql.types import Catalog, Check, Verdict, Violation

__all__ = ["SqlGuard"]


class SqlGuard:
    """Decides what may run. Holds nothing of what it checks; safe to share between threads."""

    def check(
        self,
        sql: str,
        catalog: Catalog,
        principal: Principal,
        policy: Policy | None = None,
        *,
        known: Catalog | None = None,
    ) -> Verdict:
        """Prove the statement harmless and rewrite it for this caller, or refuse it with reasons. Never raises.

        `known` is the catalogue as this very caller sees it (`with_scoped_profiles`, `with_additivity`): warnings
        know of restricted tables what it holds, and nothing else. It admits nothing.
        """
        checks: list[Check] = []
        tables: Tables | None = None
        text = sql if isinstance(sql, str) else ""  # type: ignore[redundant-expr]  # callers may be wrong
        try:
            tables = _tables(sql, catalog, principal, policy, known)
            return _prove(text, tables, checks)
        except Refused as refused:
            violation = refused.violation(text)
        except RecursionError:
            violation = Violation(
                "too_deep", "The statement is nested too deeply; write it flatter.", position(0, text)
            )
        except Exception as error:  # noqa: BLE001 - promise: whatever goes wrong in here is a refusal
            message = f"The guard could not decide ({type(error).__name__}); refused."
            violation = Violation("internal", message, position(None, text))
        checks.append(Check(violation.code, False, violation.message))
        return Verdict(
            allowed=False,
            policy=policy.title if policy is not None else None,
            violations=(violation,),
            checks=tuple(checks),
            withheld=tuple(tables.withheld) if tables is not None else (),
        )


def _tables(
    sql: object, catalog: Catalog, principal: Principal, policy: Policy | None, known: Catalog | None
) -> Tables:
    if not isinstance(sql, str):
        raise Refused("not_text", "A statement is text.")
    engine = ENGINES.get(catalog.dialect)
    if engine is None:
        raise Refused(
            "dialect", f"{catalog.dialect} is not a dialect we can check; refused.", 0, catalog.dialect
        )
    return Tables(engine, catalog, principal, policy, known)


def _reads(sql: str, allowed: Allowlist, checks: list[Check]) -> Statement:
    """Steps 1 to 4: of the text and its tree alone, without a name looked up."""
    statement = read(sql, allowed)
    check_wording(statement.tokens, allowed.dialect)
    check_absent(statement.tokens, allowed.dialect)
    checks.append(
        Check("one statement", True, f"one {allowed.dialect} query of {len(statement.tokens)} words")
    )

    nodes = check_nodes(statement.tree, sql, allowed)
    calls = check_functions(statement.tokens, allowed)
    checks.append(Check("only reads", True, f"{nodes} nodes and {calls} calls, each on the list"))
    return statement


def _prove(sql: str, tables: Tables, checks: list[Check]) -> Verdict:
    policy, allowed = tables.policy, allowlist(tables.catalog.dialect)
    statement = _reads(sql, allowed, checks)

    resolver = Resolver(tables.engine, allowed, tables, sql)
    resolver.statement(statement.tree)
    facts = resolver.facts
    check_cut(statement.tree, facts, tables)
    check_sizes(statement.tree, facts)
    found = facts.tables()
    checks.append(Check("names resolve", True, f"{len(found)} tables, {len(facts.bindings)} columns"))
    ungrouped = check_grouping(facts, tables.engine, resolver.expressions)
    check_operands(statement.tree, facts, allowed.dialect)

    warnings = warnings_for(facts, tables, ungrouped)
    columns = tuple(facts.columns())
    done = write_policies(statement.tree, facts, tables)
    if policy is not None:
        rules, masked = len(done.row_rules), len(done.masked)
        checks.append(
            Check("policy written in", True, f"{policy.title}: {rules} row rules, {masked} masked columns")
        )

    schemas = tables.schemas(facts.scans) | done.renamed
    text = write_out(statement.tree, statement, allowed, bound=bool(done.parameters), schemas=schemas)
    checks.append(Check("rewritten and read back", True, "the text that runs says what was checked"))
    return Verdict(
        allowed=True,
        sql=text,
        parameters=done.parameters,
        policy=policy.title if policy is not None else None,
        warnings=warnings,
        tables=tuple(found),
        columns=columns,
        checks=tuple(checks),
        row_rules=done.row_rules,
        masked=tuple(done.masked),
    )
