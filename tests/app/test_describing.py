from datetime import date
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.describing import describe_result
from app.grounding import unsupported
from tests.app.making import MODEL, draft, result

MONTHS = [date(2026, 4, 1), date(2026, 5, 1), date(2026, 6, 1)]

CASES = [
    ("one value", result(revenue=[1234567]), draft("revenue"),
     "revenue: ¥1,234,567.", "売上高は1,234,567円です。"),
    ("a ratio", result(return_rate=[0.1234]), draft("return_rate"),
     "return rate: 12.3%.", "返品率は12.3%です。"),
    ("one value of one group", result(region=["Kanto"], orders=[1200]), draft("orders"),
     "orders (Kanto): 1,200.", "注文数（Kanto）は1,200件です。"),
    ("largest first", result(region=["Kanto", "Kansai"], orders=[1200, 900]), draft("orders", x="region", y="orders"),
     "orders by region: Kanto comes first with 1,200, of 2 rows.",
     "地域別の注文数は、Kantoが1,200件で先頭です（全 2 行）。"),
    ("smallest first", result(region=["Kansai", "Kanto"], orders=[900, 1200]), draft("orders"),
     "orders by region: Kansai comes first (lowest) with 900, of 2 rows.",
     "地域別の注文数は、少ない順でKansaiの900件が先頭です（全 2 行）。"),
    ("in no order", result(region=["A", "B", "C"], orders=[2, 1, 3]), draft("orders"),
     "orders by region: from 1 (B) to 3 (C), 3 rows.",
     "地域別の注文数は、1件（B）から3件（C）までです（全 3 行）。"),
    ("all the same", result(region=["A", "B"], orders=[2, 2]), draft("orders"),
     "orders by region: 2 each, 2 rows.", "地域別の注文数は、いずれも2件です（全 2 行）。"),
    ("all that are known the same", result(region=["A", "B", "C"], orders=[2, 2, None]), draft("orders"),
     "orders by region: from 2 (A) to 2 (A), 3 rows.",
     "地域別の注文数は、2件（A）から2件（A）までです（全 3 行）。"),
    ("rising", result(sold_on=MONTHS, revenue=[100, 90, 300]), draft("revenue"),
     "revenue rose from ¥100 (2026-04) to ¥300 (2026-06), over 3 rows.",
     "売上高は2026年4月の100円から2026年6月の300円に増えました（全 3 行）。"),
    ("falling, newest row first", result(sold_on=MONTHS[::-1], revenue=[10, 20, 30]), draft("revenue"),
     "revenue fell from ¥30 (2026-04) to ¥10 (2026-06), over 3 rows.",
     "売上高は2026年4月の30円から2026年6月の10円に減りました（全 3 行）。"),
    ("level", result(sold_on=MONTHS[:2], revenue=[30, 30]), draft("revenue"),
     "revenue is ¥30 both in 2026-04 and in 2026-05, over 2 rows.",
     "売上高は2026年4月も2026年5月も30円です（全 2 行）。"),
    ("years as text", result(year=["2025", "2026"], revenue=[30, 40]),
     draft("revenue", x="year", y="revenue", kind="line"),
     "revenue rose from ¥30 (2025) to ¥40 (2026), over 2 rows.",
     "売上高は2025の30円から2026の40円に増えました（全 2 行）。"),
    ("two measures", result(region=["A", "B"], orders=[1, 2], revenue=[10, 20]), draft("orders", "revenue"),
     "2 rows, first: region A, orders 1 and revenue ¥10.", "2 行。先頭：地域 A、注文数 1件、売上高 10円。"),
    ("a row of names", result(name=["Umeda store"], region=["Kansai"]), draft(),
     "One row: name Umeda store and region Kansai.", "1 行：name Umeda store、地域 Kansai。"),
    ("a short list of names", result(name=["Umeda", "Aoba"]), draft(),
     "name (2): Umeda and Aoba.", "name（2 件）：Umeda、Aoba。"),
    ("one code under a name of two words", result(product_cd=["P-1"]), draft(), "product cd: P-1.", "product cdはP-1です。"),
    ("one name", result(name=["Umeda store"]), draft(), "name: Umeda store.", "nameはUmeda storeです。"),
    ("nulls are not figures", result(region=["A", "B"], orders=[None, 3]), draft("orders"),
     "2 rows, first: region A and orders none.", "2 行。先頭：地域 A、注文数 なし。"),
    ("cut", result(truncated=True, region=["A", "B"], orders=[3, 2]), draft("orders"),
     "orders by region: A comes first with 3, of 2 rows. Only the first 2 rows were read; there are more.",
     "地域別の注文数は、Aが3件で先頭です（全 2 行）。読み取ったのは最初の 2 行だけで、続きがあります。"),
    ("nothing", result(orders=[]), draft("orders"),
     "The query ran and found no rows.", "クエリを実行しましたが、該当する行はありませんでした。"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("name", "table", "drafted", "english", "japanese"), CASES, ids=[c[0] for c in CASES]
)
def test_what_a_table_says(name, table, drafted, english, japanese):
    assert describe_result("?", drafted, table, MODEL, "en") == english
    assert describe_result("?", drafted, table, MODEL, "ja") == japanese


@given(
    sizes=st.lists(
        st.one_of(
            st.none(),
            st.integers(-(10**13), 10**13),
            st.decimals(-(10**6), 10**6, places=4),
        ).map(lambda size: None if size is None else Decimal(size)),
        min_size=1,
        max_size=8,
    ),
    metric=st.sampled_from(["revenue", "orders", "return_rate"]),
    language=st.sampled_from(["en", "ja"]),
    dated=st.booleans(),
)
def test_no_figure_but_those_of_the_rows(sizes, metric, language, dated):
    groups = (
        [date(2026, 1 + i, 1) for i in range(len(sizes))]
        if dated
        else [f"r{chr(97 + i)}" for i in range(len(sizes))]
    )
    table = result(
        **{"sold_on" if dated else "region": groups, metric: [s if s is None else float(s) for s in sizes]}
    )
    said = describe_result("?", draft(metric), table, MODEL, language)
    assert unsupported(said, rows=table.rows()) == (), said
