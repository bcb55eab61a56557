"""Builders of values for the tests of app: a shop's passages, contexts and results."""

from datetime import UTC, datetime

import pyarrow as pa

from retrieval.language import detect
from retrieval.merging import Found, merge
from retrieval.types import Chunk, Document, Passage, Principal
from text2sql.semantics import SemanticModel
from text2sql.types import Draft, ResultSet

ASKER = Principal("mei", name="Mei", roles=("seller",))
DATED = datetime(2026, 10, 1, tzinfo=UTC)

MODEL = SemanticModel.model_validate(
    {
        "tables": [
            {
                "name": "sales",
                "label": {"en": "sales", "ja": "売上"},
                "dimensions": [
                    {"name": "region", "label": {"en": "region", "ja": "地域"}},
                    {"name": "sold_on", "type": "date", "label": {"en": "sale date", "ja": "売上日"}},
                    {"name": "year", "type": "text", "label": {"en": "year", "ja": "年"}},
                ],
            }
        ],
        "metrics": [
            {"name": "revenue", "table": "sales", "agg": "sum", "expr": "amount", "unit": "JPY",
             "label": {"en": "revenue", "ja": "売上高"}},
            {"name": "orders", "table": "sales", "agg": "count", "unit": "count",
             "label": {"en": "orders", "ja": "注文数"}},
            {"name": "return_rate", "ratio": {"numerator": "orders", "denominator": "revenue"}, "unit": "percent",
             "label": {"en": "return rate", "ja": "返品率"}},
        ],
    }
)  # fmt: skip


def passage(
    text, *, key="doc", title="Handbook", score=1.0, kind="document", as_of=DATED, start=0, page=None
):
    document = Document(
        key, f"v-{key}", f"file:///{key}.md", title, kind=kind, language=detect(text), as_of=as_of
    )
    chunk = Chunk(f"{key}#{start}", document, 0, text, start, start + len(text), page)
    return Passage(chunk, score, lexical=score)


def context(question, *passages, facts=(), withheld=0, budget=4000):
    found = Found(passages=passages, facts=facts, withheld=withheld)
    return merge(question, ASKER, detect(question), found, budget)


def result(truncated=False, **columns):
    return ResultSet(pa.table(columns), seconds=0.01, truncated=truncated)


def draft(*metrics, **chart):
    return Draft("SELECT 1", "offline", 0.9, metrics=metrics, tables=("sales",), chart=chart)
