"""The join graph of a semantic model: shortest ways between entities, and whether they multiply rows."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass

from text2sql.semantics import SemanticModel


@dataclass(frozen=True, slots=True)
class Step:
    """One join: rows of `source` meet rows of `target` where the column pairs are equal.

    `single`: at most one row of `target` for each of `source`.
    """

    source: str
    target: str
    on: tuple[tuple[str, str], ...]
    single: bool


class JoinGraph:
    """Entities and the joins between them, both ways. Immutable once built."""

    def __init__(self, model: SemanticModel) -> None:
        self._steps: dict[str, list[Step]] = {entity.name: [] for entity in model.tables}
        for join in model.joins:
            pairs = tuple(join.on.items())
            back = tuple((there, here) for here, there in pairs)
            one_to_one = join.cardinality == "one_to_one"
            self._steps[join.from_].append(Step(join.from_, join.to, pairs, single=True))
            self._steps[join.to].append(Step(join.to, join.from_, back, single=one_to_one))

    def path(self, source: str, target: str) -> tuple[Step, ...] | None:
        """The shortest way, safe steps preferred among equals; () for the entity itself, None where there is none."""
        paths = self.paths(source, target)
        return paths[0] if paths else None

    def paths(self, source: str, target: str) -> list[tuple[Step, ...]]:
        """Every shortest way (at most 8), those that multiply fewer rows first; several make a join ambiguous."""
        if source == target:
            return [()]
        queue: deque[tuple[Step, ...]] = deque((step,) for step in self._steps.get(source, ()))
        found: list[tuple[Step, ...]] = []
        while queue and len(found) < 8:
            path = queue.popleft()
            if found and len(path) > len(found[0]):
                break
            if path[-1].target == target:
                found.append(path)
            elif len(path) < 5:
                seen = {source, *(step.target for step in path)}
                queue.extend(
                    (*path, step) for step in self._steps[path[-1].target] if step.target not in seen
                )
        return sorted(found, key=lambda path: sum(not step.single for step in path))

    def neighbours(self, entity: str) -> list[Step]:
        """The joins that leave an entity."""
        return self._steps.get(entity, [])
