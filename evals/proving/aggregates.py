"""Aggregates and windows of generated queries."""

from __future__ import annotations

from collections.abc import Callable

from evals.proving.speech import Draw, Speech
from evals.proving.terms import KINDS, Scope, Terms

_FRAMES = (
    "ROWS BETWEEN 1 PRECEDING AND CURRENT ROW", "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING", "ROWS 2 PRECEDING",
    "ROWS BETWEEN 1 FOLLOWING AND 2 FOLLOWING",
)  # fmt: skip
_STEADY_FRAMES = ("RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW", "RANGE UNBOUNDED PRECEDING")
_GROUPS = ("GROUPS BETWEEN 1 PRECEDING AND CURRENT ROW",)


class Aggregates:
    """Makes values over several rows. `fresh` gives names not used before."""

    def __init__(
        self, draw: Draw, speech: Speech, terms: Terms, *, steady: bool, fresh: Callable[[str], str]
    ) -> None:
        self.draw, self.speech, self.terms, self.steady, self.fresh = draw, speech, terms, steady, fresh

    def aggregate(self, kind: str, scope: Scope) -> str:
        """An aggregate of this kind over the rows of the scope's own SELECT."""
        near = Scope(scope.own, [], nested=False)
        draw, one = self.draw, self.terms.value
        condition = ""
        if "filter" in self.speech.can and draw.chance(0.15):
            condition = f" FILTER (WHERE {self.terms.condition(near, 0)})"
        if kind == "integer":
            inner = draw.weighted({"star": 3, "count": 2, "distinct": 2, "sum": 3, "edge": 2, "case": 1})
            if inner == "star":
                return f"COUNT(*){condition}"
            if inner in ("count", "distinct"):
                leaf = self.terms.leaf(near, (*KINDS, *(["other"] if inner == "count" else [])))
                text = self.terms.spell(leaf) if leaf is not None else "1"
                return f"COUNT({'DISTINCT ' if inner == 'distinct' else ''}{text}){condition}"
            if inner == "case":
                return f"SUM(CASE WHEN {self.terms.condition(near, 0)} THEN 1 ELSE 0 END){condition}"
            name = "SUM" if inner == "sum" else draw.one(["MIN", "MAX"])
            return f"{name}({one('integer', near, 1)}){condition}"
        if kind == "number":
            name = draw.one(["SUM", "AVG", "AVG", "MIN", "MAX", "SUM(DISTINCT"])
            inner = one("number", near, 1)
            return (
                f"SUM(DISTINCT {inner}){condition}" if "DISTINCT" in name else f"{name}({inner}){condition}"
            )
        if kind == "boolean" and self.speech.strict:
            return f"(COUNT(*){condition} > {draw.number(0, 3)})"
        return f"{draw.one(['MIN', 'MAX'])}({one(kind, near, 1)}){condition}"

    def window(self, kind: str, scope: Scope, named: list[str]) -> str:
        """A value of this kind computed over other rows; a named window is added to `named`."""
        near = Scope(scope.own, [], nested=False)
        draw, can = self.draw, self.speech.can
        partition = self._some(near, "PARTITION BY ")
        order = self._some(near, "ORDER BY ") or f"ORDER BY {self.terms.atom('integer', Scope(near.own, []))}"
        if not near.own:
            partition, order = "", ""
        ranked = kind == "integer" and draw.chance(0.5)
        if ranked:
            name = draw.one(
                ["RANK()", "DENSE_RANK()"]
                if self.steady
                else ["ROW_NUMBER()", "RANK()", "DENSE_RANK()", "NTILE(3)"]
            )
            return f"{name} OVER {self._over([partition, order], named)}"
        value = self.terms.atom(kind, near)
        if not self.steady and draw.chance(0.3):
            if value.startswith("'"):
                value = f"CAST({value} AS {self.speech.casts['text'][0]})"
            call = draw.one(
                [f"LAG({value})", f"LEAD({value}, 1)", f"FIRST_VALUE({value})", f"LAST_VALUE({value})"]
            )
            return f"{call} OVER {self._over([partition, order], named)}"
        call = {"integer": draw.one([f"SUM({value})", f"COUNT({value})", "COUNT(*)"]), "number": f"{draw.one(['SUM', 'AVG'])}({value})"}.get(
            kind, f"{draw.one(['MIN', 'MAX'])}({value})"
        )  # fmt: skip
        frames = (
            list(_STEADY_FRAMES)
            if self.steady
            else [*_FRAMES, *_STEADY_FRAMES, *(_GROUPS if "groups" in can else ())]
        )
        frame = draw.one(frames) if order and (draw.chance(0.4) or self.speech.dialect == "redshift") else ""
        if frame and "exclude" in can and draw.chance(0.2) and not self.steady:
            frame += (
                draw.one([" EXCLUDE CURRENT ROW", " EXCLUDE TIES", " EXCLUDE GROUP"])
                if "BETWEEN" in frame
                else ""
            )
        return (
            f"{call} OVER {self._over([partition, order, frame] if draw.chance(0.7) else [partition], named)}"
        )

    def _over(self, parts: list[str], named: list[str]) -> str:
        text = " ".join(part for part in parts if part)
        if "named_windows" in self.speech.can and self.draw.chance(0.2):
            name = self.fresh("w")
            named.append(f"{name} AS ({text})")
            return name
        return f"({text})"

    def _some(self, scope: Scope, words: str) -> str:
        leaves = [leaf for leaf in scope.own if leaf.kind in KINDS]
        if not leaves or self.draw.chance(0.3):
            return ""
        items = [self.terms.spell(leaf) for leaf in self.draw.some(leaves, 1, 2)]
        if words.startswith("ORDER"):
            items = [item + self._direction() for item in items]
        return words + ", ".join(items)

    def _direction(self) -> str:
        text = self.draw.one(["", "", " ASC", " DESC"])
        return text + (self.draw.one([" NULLS FIRST", " NULLS LAST"]) if self.draw.chance(0.15) else "")
