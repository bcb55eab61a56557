"""Family and given names, in romaji (what the warehouse stores) and as written in Japanese."""

from __future__ import annotations

SURNAMES = (
    ("Sato", "佐藤"), ("Suzuki", "鈴木"), ("Takahashi", "高橋"), ("Tanaka", "田中"), ("Ito", "伊藤"),
    ("Watanabe", "渡辺"), ("Yamamoto", "山本"), ("Nakamura", "中村"), ("Kobayashi", "小林"), ("Kato", "加藤"),
    ("Yoshida", "吉田"), ("Yamada", "山田"), ("Sasaki", "佐々木"), ("Yamaguchi", "山口"), ("Matsumoto", "松本"),
    ("Inoue", "井上"), ("Kimura", "木村"), ("Hayashi", "林"), ("Saito", "斎藤"), ("Shimizu", "清水"),
    ("Yamazaki", "山崎"), ("Mori", "森"), ("Ikeda", "池田"), ("Hashimoto", "橋本"), ("Abe", "阿部"),
    ("Ishikawa", "石川"), ("Yamashita", "山下"), ("Nakajima", "中島"), ("Ishii", "石井"), ("Ogawa", "小川"),
    ("Maeda", "前田"), ("Okada", "岡田"), ("Hasegawa", "長谷川"), ("Fujita", "藤田"), ("Goto", "後藤"),
    ("Kondo", "近藤"), ("Murakami", "村上"), ("Endo", "遠藤"), ("Aoki", "青木"), ("Sakamoto", "坂本"),
    ("Fukuda", "福田"), ("Ota", "太田"), ("Nishimura", "西村"), ("Fujii", "藤井"), ("Okamoto", "岡本"),
    ("Miura", "三浦"), ("Fujiwara", "藤原"), ("Matsuda", "松田"), ("Nakagawa", "中川"), ("Nakano", "中野"),
    ("Harada", "原田"), ("Ono", "小野"), ("Tamura", "田村"), ("Takeuchi", "竹内"), ("Kaneko", "金子"),
    ("Wada", "和田"), ("Nakayama", "中山"), ("Ishida", "石田"), ("Ueda", "上田"), ("Morita", "森田"),
)  # fmt: skip

GIVEN_NAMES = (
    ("Haruto", "陽翔"), ("Yuto", "悠斗"), ("Sota", "蒼太"), ("Ren", "蓮"), ("Daiki", "大輝"), ("Kaito", "海斗"),
    ("Takumi", "匠"), ("Kenta", "健太"), ("Shota", "翔太"), ("Naoki", "直樹"), ("Makoto", "誠"), ("Hiroshi", "浩"),
    ("Takashi", "隆"), ("Akira", "明"), ("Masaru", "勝"), ("Shigeru", "茂"), ("Kazuo", "和夫"), ("Minoru", "実"),
    ("Yui", "結衣"), ("Hina", "陽菜"), ("Sakura", "さくら"), ("Aoi", "葵"), ("Misaki", "美咲"), ("Ayaka", "彩花"),
    ("Nanami", "七海"), ("Mai", "舞"), ("Yuka", "由佳"), ("Megumi", "恵"), ("Keiko", "恵子"), ("Yoko", "洋子"),
    ("Kazuko", "和子"), ("Sachiko", "幸子"), ("Tomoko", "智子"), ("Naomi", "直美"), ("Kumiko", "久美子"),
    ("Mayumi", "真由美"), ("Noriko", "典子"), ("Eriko", "絵里子"), ("Akemi", "明美"), ("Chiyo", "千代"),
)  # fmt: skip
