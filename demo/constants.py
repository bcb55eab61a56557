"""What the insurer is: one place that the data, the semantic model and the documents all read.

Change a number here and the policies, the brochures and the rules change together. All amounts are yen.
"""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

COMPANY = "Kazahaya Insurance"
COMPANY_JA = "風早損害保険"

FIRST_DAY = date(2023, 4, 1)
"""First day of the facts: the start of fiscal year 2023."""
LAST_DAY = date(2026, 11, 15)
"""The day the warehouse was last loaded; nothing happens after it."""
REPORT_MONTH = date(2026, 10, 1)
"""The month that the loss report is about: the last complete one."""
REPORT_DATE = date(2026, 11, 16)
FISCAL_YEARS = (2023, 2024, 2025, 2026)

LOSS_RATIOS = {2023: 0.624, 2024: 0.661, 2025: 0.687, 2026: 0.638}
"""Amounts are scaled so that the whole book comes out at these ratios, however few customers there are."""
BASE_FREQUENCY = 0.061
"""Accidents a vehicle-year before the factors of person, place and vehicle."""


NEW_CAR_MONTHS = 36
"""How long after its first registration a wrecked car is replaced by a new one (Premier)."""


class Product(NamedTuple):
    """One plan. `property_limit` None: unlimited. `risk` scales how often, `cost` how dear its accidents are."""

    name: str
    name_ja: str
    weight: float
    base_premium: int
    deductible: int
    property_limit: int | None
    injury_limit: int
    own_damage: str
    own_damage_ja: str
    towing_km: int
    rental_days: int
    legal_limit: int
    risk: float
    cost: float


PRODUCTS = (
    Product(
        "Basic", "ベーシック", 0.36, 47_000, 100_000, 30_000_000, 30_000_000,
        "collisions with another vehicle only", "相手自動車との衝突のみ", 50, 0, 0, 0.93,
        0.74,
    ),
    Product(
        "Standard", "スタンダード", 0.42, 64_000, 50_000, 100_000_000, 50_000_000,
        "collisions, single-vehicle accidents, weather and theft", "衝突・単独事故・自然災害・盗難", 120, 15,
        3_000_000, 1.0, 1.0,
    ),
    Product(
        "Premier", "プレミア", 0.22, 88_000, 0, None, 100_000_000,
        f"every accident, with new-car replacement in the first {NEW_CAR_MONTHS} months",
        f"すべての事故(初度登録から{NEW_CAR_MONTHS}か月以内は新車買替を補償)", 300, 30, 3_000_000, 1.08,
        1.28,
    ),
)  # fmt: skip


class Channel(NamedTuple):
    """How a policy was sold. `renewal` is added to the chance that it is renewed."""

    name: str
    name_ja: str
    weight: float
    renewal: float


CHANNELS = (
    Channel("Agency", "代理店", 0.44, 0.012),
    Channel("Online", "インターネット", 0.28, -0.02),
    Channel("Dealer", "自動車ディーラー", 0.18, 0.008),
    Channel("Bank", "銀行窓口", 0.10, 0.0),
)
DIRECT_AGENT = "A0000"
"""Who "sold" what was sold online, so that every policy has an agent and joins lose nothing."""


NAMED_AGENTS = {1: ("Wada", "Ren"), 3: ("Nakagawa", "Aoi")}
"""Agents who are users too: the first of Tokyo and the first of Osaka (see demo/book.py)."""


class Cause(NamedTuple):
    """A cause of accident. `mean` is its typical loss before scaling; `own` says the deductible applies."""

    name: str
    name_ja: str
    weight: float
    mean: int
    own: bool
    grade_drop: int
    payment: str


CAUSES = (
    Cause("Rear-end collision", "追突", 0.27, 420_000, False, 3, "Liability"),
    Cause("Intersection collision", "交差点事故", 0.21, 760_000, False, 3, "Liability"),
    Cause("Single-vehicle accident", "単独事故", 0.17, 390_000, True, 3, "Repair"),
    Cause("Parking accident", "駐車場内事故", 0.15, 190_000, True, 3, "Repair"),
    Cause("Weather", "自然災害", 0.09, 450_000, True, 1, "Repair"),
    Cause("Glass damage", "ガラス破損", 0.05, 110_000, True, 1, "Repair"),
    Cause("Pedestrian or bicycle", "歩行者・自転車事故", 0.04, 1_900_000, False, 3, "Medical"),
    Cause("Theft", "盗難", 0.02, 1_500_000, True, 1, "Theft"),
)
PAYMENT_TYPES = {
    "Repair": "修理費", "Liability": "対物賠償", "Medical": "治療費", "Rental car": "代車費用", "Theft": "盗難補償",
}  # fmt: skip


class VehicleClass(NamedTuple):
    """A class of vehicle, with its share of the book and its effect on the premium."""

    name: str
    name_ja: str
    weight: float
    factor: float


VEHICLE_CLASSES = (
    VehicleClass("Kei", "軽自動車", 0.36, 0.82),
    VehicleClass("Compact", "コンパクトカー", 0.22, 0.95),
    VehicleClass("Minivan", "ミニバン", 0.18, 1.08),
    VehicleClass("SUV", "SUV", 0.14, 1.16),
    VehicleClass("Sedan", "セダン", 0.10, 1.12),
)


class Reason(NamedTuple):
    """Why somebody calls. `weight` is its share among calls that nothing in particular caused."""

    name: str
    name_ja: str
    weight: float
    minutes: float


REASONS = (
    Reason("Coverage question", "補償内容の照会", 0.30, 7.0),
    Reason("Billing", "保険料の支払い", 0.26, 5.0),
    Reason("Address change", "住所変更", 0.20, 4.0),
    Reason("Roadside assistance", "ロードサービス", 0.16, 9.0),
    Reason("Complaint", "苦情", 0.08, 12.0),
    Reason("Claim report", "事故受付", 0.0, 14.0),
    Reason("Claim status", "事故対応の照会", 0.0, 6.0),
    Reason("Renewal", "契約更新", 0.0, 8.0),
    Reason("Cancellation", "解約", 0.0, 6.0),
)

AGE_BANDS = ((29, "18-29", "20代以下"), (39, "30-39", "30代"), (49, "40-49", "40代"),
             (59, "50-59", "50代"), (69, "60-69", "60代"), (200, "70+", "70代以上"))  # fmt: skip
"""Upper age, stored value, Japanese name."""

STATUSES = {
    "Active": ("有効", "契約中", "保有中"),
    "Expired": ("満期", "満期終了"),
    "Cancelled": ("解約", "解約済み"),
}
RENEWAL_OUTCOMES = {"Renewed": ("継続", "更新済み"), "Lapsed": ("不継続", "失効"), "Not due": ("満期前",),
                    "Cancelled": ("中途解約",)}  # fmt: skip
CLAIM_STATUSES = {"Open": ("対応中", "未決"), "Closed": ("完了", "既決"), "Rejected": ("無責", "支払対象外")}

# Rules that the simulation follows and the documents state.
GRADE_NEW = 6
GRADE_MAX = 20
GRADE_RISE = 1
REPORT_WITHIN_DAYS = 60
PAY_WITHIN_DAYS = 30
RENEWAL_NOTICE_DAYS = 60
GRACE_DAYS = 30
COOLING_OFF_DAYS = 8
REJECT_RATE = 0.04
CANCEL_RATE = 0.025
RENEWAL_BY_YEAR = {2023: 0.918, 2024: 0.909, 2025: 0.893, 2026: 0.902}
"""Chance of renewal by the fiscal year of expiry, before what channel and claims do to it."""
RENEWAL_AFTER_CLAIM = -0.07
BATTERY_CALLS_A_YEAR = 1
FUEL_LITRES = 10
LOCKOUT_MINUTES = 30
HOTLINE = "0120-000-357"
ROADSIDE_LINE = "0120-000-724"
MANAGER_AUTHORITY = 5_000_000
PREMIER_RISE = 0.04
AGENT_COMMISSION = {"Basic": 0.12, "Standard": 0.15, "Premier": 0.17}

NOTES = {
    "Coverage question": (
        "補償内容を説明し、ご了解いただいた。",
        "補償範囲を確認のうえ折り返すことになった。",
    ),
    "Billing": ("口座振替日と保険料を案内した。", "引き落とし不能について経理に確認中。"),
    "Address change": ("住所変更を承り、登録を更新した。", "新住所の書類待ち。"),
    "Roadside assistance": ("レッカーを手配し、修理工場へ搬送した。", "搬送先の工場について調整中。"),
    "Complaint": ("対応の遅れをお詫びし、ご納得いただいた。", "責任者から折り返し連絡することになった。"),
    "Claim report": ("事故の状況を伺い、担当者を決めた。", "相手方の連絡先を確認中。"),
    "Claim status": ("修理の見積もりと支払予定を案内した。", "修理工場からの見積もり待ち。"),
    "Renewal": (
        "更新後の保険料を案内し、継続の意向を伺った。",
        "他社と比較のうえ連絡をいただくことになった。",
    ),
    "Cancellation": ("解約手続きと返戻金を案内した。", "解約の意向を受け、書類を送付した。"),
}
"""What a call's note says when it was settled at once, and when it was not."""
