from __future__ import annotations

import pytest

from app.clauses import clauses


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        (
            "What does unit price mean, and what was it in fiscal 2024?",
            ("What does unit price mean", "what was the unit price in fiscal 2024?"),
        ),
        (
            "How is churn calculated? What was it last year?",
            ("How is churn calculated", "What was the churn last year?"),
        ),
        (
            "How do returns work, and how many returns were there in 2024?",
            ("How do returns work", "how many returns were there in 2024?"),
        ),
        (
            "What is margin and how much was it this year?",
            ("What is margin", "how much was the margin this year?"),
        ),
        ("粗利率とは何ですか。また、2024年度の粗利率は?", ("粗利率とは何ですか", "2024年度の粗利率は")),
        (
            "返品の期限はいつですか？2024年度の返品件数は？",
            ("返品の期限はいつですか", "2024年度の返品件数は"),
        ),
    ],
)
def test_two_questions_in_one(question: str, expected: tuple[str, ...]) -> None:
    assert clauses(question) == expected


@pytest.mark.parametrize(
    "question",
    [
        "Revenue by region and product in 2024",
        "revenue in North, and South",
        "How many stores have sales, and no returns?",
        "What was revenue this year compared with last year?",
        "2024年度の地域別の売上高",
        "売上高と粗利率を教えてください。",
        "",
    ],
)
def test_one_question_stays_whole(question: str) -> None:
    assert clauses(question) == (question,)
