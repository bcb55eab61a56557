"""The 47 prefectures: what the generator, the semantic model and the documents say about places.

`weight` is roughly the population in units of 100,000; `risk` scales accident frequency and price.
"""

from __future__ import annotations

from typing import NamedTuple


class Prefecture(NamedTuple):
    """One prefecture. `name` is the stored value (romaji without macrons), `name_ja` the official name."""

    name: str
    name_ja: str
    region: str
    weight: float
    risk: float
    snow: bool = False

    @property
    def short_ja(self) -> str:
        """The name people use: without 都, 府, 県 (Hokkaido keeps its 道)."""
        return self.name_ja if self.name == "Hokkaido" else self.name_ja[:-1]


REGIONS = {
    "Hokkaido": "北海道地方",
    "Tohoku": "東北",
    "Kanto": "関東",
    "Chubu": "中部",
    "Kansai": "関西",
    "Chugoku": "中国",
    "Shikoku": "四国",
    "Kyushu": "九州",
}
"""Stored value -> Japanese name. Okinawa is counted with Kyushu, Mie with Chubu."""

PREFECTURES = (
    Prefecture("Hokkaido", "北海道", "Hokkaido", 51, 1.05, snow=True),
    Prefecture("Aomori", "青森県", "Tohoku", 12, 1.0, snow=True),
    Prefecture("Iwate", "岩手県", "Tohoku", 12, 0.92, snow=True),
    Prefecture("Miyagi", "宮城県", "Tohoku", 23, 1.0),
    Prefecture("Akita", "秋田県", "Tohoku", 9, 0.9, snow=True),
    Prefecture("Yamagata", "山形県", "Tohoku", 10, 0.95, snow=True),
    Prefecture("Fukushima", "福島県", "Tohoku", 18, 0.95),
    Prefecture("Ibaraki", "茨城県", "Kanto", 28, 1.08),
    Prefecture("Tochigi", "栃木県", "Kanto", 19, 1.04),
    Prefecture("Gunma", "群馬県", "Kanto", 19, 1.1),
    Prefecture("Saitama", "埼玉県", "Kanto", 73, 1.04),
    Prefecture("Chiba", "千葉県", "Kanto", 62, 1.03),
    Prefecture("Tokyo", "東京都", "Kanto", 140, 1.0),
    Prefecture("Kanagawa", "神奈川県", "Kanto", 92, 1.02),
    Prefecture("Niigata", "新潟県", "Chubu", 21, 0.95, snow=True),
    Prefecture("Toyama", "富山県", "Chubu", 10, 0.94, snow=True),
    Prefecture("Ishikawa", "石川県", "Chubu", 11, 0.95, snow=True),
    Prefecture("Fukui", "福井県", "Chubu", 7, 0.95, snow=True),
    Prefecture("Yamanashi", "山梨県", "Chubu", 8, 1.02),
    Prefecture("Nagano", "長野県", "Chubu", 20, 0.93, snow=True),
    Prefecture("Gifu", "岐阜県", "Chubu", 19, 1.02),
    Prefecture("Shizuoka", "静岡県", "Chubu", 35, 1.06),
    Prefecture("Aichi", "愛知県", "Chubu", 75, 1.08),
    Prefecture("Mie", "三重県", "Chubu", 17, 0.98),
    Prefecture("Shiga", "滋賀県", "Kansai", 14, 0.98),
    Prefecture("Kyoto", "京都府", "Kansai", 25, 1.0),
    Prefecture("Osaka", "大阪府", "Kansai", 88, 1.1),
    Prefecture("Hyogo", "兵庫県", "Kansai", 53, 1.06),
    Prefecture("Nara", "奈良県", "Kansai", 13, 0.97),
    Prefecture("Wakayama", "和歌山県", "Kansai", 9, 0.97),
    Prefecture("Tottori", "鳥取県", "Chugoku", 5, 0.88, snow=True),
    Prefecture("Shimane", "島根県", "Chugoku", 6, 0.85),
    Prefecture("Okayama", "岡山県", "Chugoku", 18, 1.03),
    Prefecture("Hiroshima", "広島県", "Chugoku", 27, 0.98),
    Prefecture("Yamaguchi", "山口県", "Chugoku", 13, 0.96),
    Prefecture("Tokushima", "徳島県", "Shikoku", 7, 1.02),
    Prefecture("Kagawa", "香川県", "Shikoku", 9, 1.12),
    Prefecture("Ehime", "愛媛県", "Shikoku", 13, 0.96),
    Prefecture("Kochi", "高知県", "Shikoku", 7, 0.94),
    Prefecture("Fukuoka", "福岡県", "Kyushu", 51, 1.12),
    Prefecture("Saga", "佐賀県", "Kyushu", 8, 1.12),
    Prefecture("Nagasaki", "長崎県", "Kyushu", 13, 0.95),
    Prefecture("Kumamoto", "熊本県", "Kyushu", 17, 1.0),
    Prefecture("Oita", "大分県", "Kyushu", 11, 0.96),
    Prefecture("Miyazaki", "宮崎県", "Kyushu", 10, 1.04),
    Prefecture("Kagoshima", "鹿児島県", "Kyushu", 15, 0.97),
    Prefecture("Okinawa", "沖縄県", "Kyushu", 15, 1.0),
)


def of_region(region: str) -> tuple[str, ...]:
    """Names of the prefectures of one region, in official order."""
    return tuple(p.name for p in PREFECTURES if p.region == region)
