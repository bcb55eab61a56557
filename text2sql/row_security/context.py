"""What the wall is told of the caller: a role and attributes, signed, so that no statement can tell it anything else.

A statement that may call `set_config` could change a plain setting, and PostgreSQL's row security would read the
changed one in the same statement. So the setting carries a signature (HMAC-SHA-256, RFC 2104) by a key that is
derived from the reader's password (PBKDF2, RFC 8018): our side knows the password, the database keeps the key where
only the wall's own functions read it, and a statement knows neither.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

SETTING = "bunmyaku.context"
MARK = "bunmyaku wall "
"""How the comment of everything that the wall made begins."""
LIFETIME = 86_400
"""Seconds: far above what any transaction takes, and above what clocks of two machines may differ by."""
_ROUNDS = 200_000
_BLOCK = 64
"""Bytes of a block of SHA-256."""


@dataclass(frozen=True, slots=True)
class Key:
    """The two padded keys of HMAC, as the database keeps them."""

    inner: bytes
    outer: bytes

    @classmethod
    def of(cls, password: str, salt: str) -> Key:
        """Derived from the reader's password; `salt` in hex."""
        secret = hashlib.pbkdf2_hmac("sha256", password.encode(), bytes.fromhex(salt), _ROUNDS)
        padded = secret.ljust(_BLOCK, b"\0")
        return cls(bytes(b ^ 0x36 for b in padded), bytes(b ^ 0x5C for b in padded))

    def sign(self, text: str) -> str:
        """HMAC-SHA-256 of the text, in hex."""
        inside = hashlib.sha256(self.inner + text.encode()).digest()
        return hashlib.sha256(self.outer + inside).hexdigest()

    def same(self, other: Key) -> bool:
        """Whether both are one key."""
        return hmac.compare_digest(self.inner + self.outer, other.inner + other.outer)


def signed(key: Key, database: str, role: str, attributes: Mapping[str, Any], now: float) -> str:
    """The context of one caller: base64 and hex alone, so that it needs no quoting.

    `now`: seconds since 1970. One that somebody found in a server's log is good for a day at the most.
    """
    kinds = {name: kept for name, held in attributes.items() if (kept := _kinds(held))}
    content = {"database": database, "role": role, "attributes": kinds, "until": int(now) + LIFETIME}
    body = base64.b64encode(json.dumps(content, sort_keys=True).encode()).decode()
    return f"{body}.{key.sign(body)}"


def _kinds(held: Any) -> dict[str, list[str]]:
    """Values as text under their one kind, as the policy tells them apart; {} where there is none for all."""
    several = isinstance(held, list | tuple | set | frozenset)
    values = sorted(held, key=repr) if several else [held]
    for kind, types in (("boolean", bool), ("text", str), ("integer", int), ("number", (int, float))):
        if values and all(
            isinstance(v, types) and not (kind == "text" and _unstorable(str(v))) for v in values
        ):
            if kind != "boolean" and any(isinstance(v, bool) for v in values):
                return {}
            return {kind: [str(v).lower() if kind == "boolean" else str(v) for v in values]}
    return {}


def _unstorable(value: str) -> bool:
    """Whether PostgreSQL has no such text: no row can hold it."""
    return "\0" in value or any("\ud800" <= character <= "\udfff" for character in value)


def comment(kind: str, **facts: Any) -> str:
    """What stands beside an object of the wall: that it is ours, and what we want to know of it again."""
    return f"{MARK}{kind} {json.dumps(facts, sort_keys=True, ensure_ascii=False)}"


def commented(text: str | None, kind: str) -> dict[str, Any] | None:
    """The facts of such a comment; None where the object is not ours, or of another kind."""
    start = f"{MARK}{kind} "
    if not text or not text.startswith(start):
        return None
    try:
        facts: Any = json.loads(text[len(start) :])
    except ValueError:
        return None
    return facts if isinstance(facts, dict) else None


def role_facts(roles: Iterable[str], database: str) -> str:
    """The comment of a role that stands for a set of the policy's roles."""
    return comment("role", database=database, roles=sorted(roles))
