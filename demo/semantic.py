"""The semantic model file: the template's words, with the stored values and their other names from the constants."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from demo.campaigns import CAMPAIGNS, GOALS, MEDIA
from demo.constants import (
    AGE_BANDS,
    CAUSES,
    CHANNELS,
    CLAIM_STATUSES,
    PAYMENT_TYPES,
    PRODUCTS,
    REASONS,
    RENEWAL_OUTCOMES,
    STATUSES,
    VEHICLE_CLASSES,
)
from demo.prefectures import PREFECTURES, REGIONS
from text2sql.semantics import SemanticModel

_FILES = Path(__file__).with_name("files")
Values = dict[str, dict[str, list[str]]]
"""Stored value -> language -> other ways to say it."""

_WEEKDAYS = {
    "Monday": "月曜日", "Tuesday": "火曜日", "Wednesday": "水曜日", "Thursday": "木曜日", "Friday": "金曜日",
    "Saturday": "土曜日", "Sunday": "日曜日",
}  # fmt: skip
_CHANNEL_WORDS = {
    "Agency": {"en": ["agencies"], "ja": ["保険代理店"]},
    "Online": {"en": ["internet", "web"], "ja": ["ネット", "オンライン", "ウェブ"]},
    "Dealer": {"en": ["car dealer", "dealers"], "ja": ["ディーラー"]},
    "Bank": {"en": ["banks"], "ja": ["銀行"]},
}


def model_text() -> str:
    """The model as the YAML that goes into a home; values that two dimensions share are written once, as an anchor."""
    template: dict[str, Any] = yaml.safe_load((_FILES / "model.yaml").read_text(encoding="utf-8"))
    metrics = yaml.safe_load((_FILES / "metrics.yaml").read_text(encoding="utf-8"))
    for table in template["tables"]:
        for dimension in table["dimensions"]:
            if values := stored_values(table["name"], dimension["name"]):
                dimension["values"] = values
    return yaml.safe_dump(
        {"version": 1, **template, **metrics}, allow_unicode=True, sort_keys=False, width=110
    )


def build_model() -> SemanticModel:
    """The model, checked. Raises `pydantic.ValidationError` where the templates and the schema part."""
    return SemanticModel.model_validate(yaml.safe_load(model_text()))


def stored_values(table: str, dimension: str) -> Values:
    """Every value a text dimension of the demo can hold, with its other names; {} for free ones."""
    own: dict[str, Mapping[str, Iterable[str]]] = {"policies": STATUSES, "claims": CLAIM_STATUSES}
    if dimension == "status":
        return _words((name, (), words) for name, words in own[table].items())
    return _VALUES.get(dimension, {})


def _words(rows: Iterable[tuple[str, Iterable[str], Iterable[str]]]) -> Values:
    return {
        name: {language: list(words) for language, words in (("en", en), ("ja", ja)) if words}
        for name, en, ja in rows
    }


def _prefectures() -> Values:
    suffix = {"都": "-to", "府": "-fu", "県": "-ken"}
    result: Values = {}
    for place in PREFECTURES:
        english = [f"{place.name} Prefecture"]
        if place.name_ja[-1] in suffix:
            english.append(f"{place.name}{suffix[place.name_ja[-1]]}")
        result[place.name] = {"en": english, "ja": list(dict.fromkeys((place.short_ja, place.name_ja)))}
    return result


_VALUES: dict[str, Values] = {
    "prefecture": _prefectures(),
    "region": {
        name: {"en": [f"{name} region"], "ja": list(dict.fromkeys((ja, f"{ja.removesuffix('地方')}地方")))}
        for name, ja in REGIONS.items()
    },
    "product": {
        p.name: {"en": [f"{p.name} plan"], "ja": [p.name_ja, f"{p.name_ja}プラン"]} for p in PRODUCTS
    },
    "channel": {
        c.name: {"en": _CHANNEL_WORDS[c.name]["en"], "ja": [c.name_ja, *_CHANNEL_WORDS[c.name]["ja"]]}
        for c in CHANNELS
    },
    "cause": _words(
        (c.name, (f"{c.name}s",) if c.name.endswith("collision") else (), (c.name_ja,)) for c in CAUSES
    ),
    "reason": _words((r.name, (), (r.name_ja,)) for r in REASONS),
    "payment_type": _words((name, (), (ja,)) for name, ja in PAYMENT_TYPES.items()),
    "vehicle_class": _words(
        (v.name, (f"{v.name} car",), dict.fromkeys((v.name_ja, *(["軽"] if v.name == "Kei" else []))))
        for v in VEHICLE_CLASSES
    ),
    "campaign": _words((c.name, (f"{c.name} campaign",), (c.name_ja,)) for c in CAMPAIGNS),
    "goal": _words((name, (f"{name} campaigns",), words) for name, words in GOALS.items()),
    "medium": _words((name, (), words) for name, words in MEDIA.items()),
    "age_band": _words((band, (), (ja,)) for _, band, ja in AGE_BANDS),
    "renewal_outcome": _words((name, (), words) for name, words in RENEWAL_OUTCOMES.items()),
    "weekday": _words((name, (), (ja, ja[:2])) for name, ja in _WEEKDAYS.items()),
}
