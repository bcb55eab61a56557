"""The glossary: what words mean in this company, as a YAML file that people edit.

terms:
  - term: {en: basket size, ja: 客単価}
    definition: {en: Revenue divided by the number of receipts., ja: 売上高を会計数で割った値。}
    synonyms: {en: [average ticket], ja: [平均単価]}

A term that has a name of the semantic model among its words gives its other words to that metric or dimension.
"""

from __future__ import annotations

from pathlib import Path

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

from retrieval.yaml_files import read_yaml
from text2sql.errors import SemanticModelError
from text2sql.semantics import Label, Synonyms


class Term(BaseModel):
    """One term with its definition, in each language; "" where it has none."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    term: Label
    definition: Label = Label()
    synonyms: Synonyms = Synonyms()

    @property
    def words(self) -> tuple[str, ...]:
        """Every way to say it, in both languages, the term first."""
        return tuple(filter(None, (self.term.en, self.term.ja, *self.synonyms.en, *self.synonyms.ja)))


class Glossary(BaseModel):
    """All terms, in the order of the file."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    terms: tuple[Term, ...] = ()


def load(path: Path) -> Glossary:
    """Read and validate a glossary. Raises `SemanticModelError` naming the file and the place in it."""
    try:
        return Glossary.model_validate(read_yaml(path.read_text(encoding="utf-8")) or {})
    except (OSError, yaml.YAMLError, UnicodeDecodeError) as error:
        raise SemanticModelError("The glossary cannot be read", where=str(path), todo=str(error)) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"])
        raise SemanticModelError(
            f"The glossary is not valid: {first['msg']}",
            where=f"{path}: {place or 'top'}",
            todo="Mend the file.",
        ) from error
