"""Call notes as the contact centre files them: a file an agent and language, with the latest calls of their customers."""

from __future__ import annotations

from pathlib import Path

import duckdb

from demo.constants import NOTES, REASONS
from demo.people import USERS
from demo.wording import Language, day

LATEST = 12
"""Calls a file."""

NOTES_EN = {
    "Coverage question": ("Explained the cover; the customer was content.", "Will call back once the cover is checked."),
    "Billing": ("Told the debit date and the premium.", "The debit failed; accounting is looking into it."),
    "Address change": ("Took the new address and updated the register.", "Waiting for the papers with the new address."),
    "Roadside assistance": ("Arranged the tow to a repair shop.", "Arranging which repair shop takes the car."),
    "Complaint": ("Apologised for the delay; the customer accepted.", "The manager in charge will call back."),
    "Claim report": ("Heard how the accident happened and named a handler.", "Finding out how to reach the other party."),
    "Claim status": ("Told the repair estimate and when we pay.", "Waiting for the estimate of the repair shop."),
    "Renewal": ("Told the new premium; the customer means to renew.", "The customer compares offers and will call."),
    "Cancellation": ("Explained the cancellation and the refund.", "Took the wish to cancel and sent the papers."),
}  # fmt: skip
"""What a note says when the call was settled at once, and when it was not."""

_QUERY = """
    SELECT called_at::DATE, customer_id, policy_id, reason, resolved FROM calls WHERE agent_id = $1
    ORDER BY called_at DESC, call_id LIMIT $2"""


def agents() -> dict[str, str]:
    """Agent id -> user id, of the users who are agents."""
    return {u.attributes["agent_id"]: u.id for u in USERS if "agent_id" in u.attributes}


def notes_of(warehouse: Path, agent: str, language: Language) -> str:
    """The text of one file. Customers go by their number: names stay in the system."""
    english = language == "en"
    reasons = {r.name: r.name if english else r.name_ja for r in REASONS}
    with duckdb.connect(str(warehouse), read_only=True) as connection:
        rows = connection.execute(_QUERY, [agent, LATEST]).fetchall()
    lines = [f"# Call notes for agent {agent}" if english else f"# 募集人{agent}の電話メモ"]
    for called, customer, policy, reason, resolved in rows:
        note = (NOTES_EN if english else NOTES)[reason][0 if resolved else 1]
        head = f"{day(called, language)}, {customer}, {policy}"
        said = f"{reasons[reason]}: {note}" if english else f"{reasons[reason]}。{note}"
        lines += [f"## {head}", f"{customer}: {said}"]
    if not rows:
        lines.append("No calls were noted." if english else "電話はありませんでした。")
    return "\n\n".join(lines) + "\n"
