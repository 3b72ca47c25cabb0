"""The syllables that invented names are made of. No name of a real company or brand is meant.

Chinese stems have three characters that companies rarely put together, the others are made-up words: names
that look right and that nobody bears.
"""

from partners.states import Category

CHINESE_FIRST = "澄棠汀朔岚苔砚禾霁栖翎芷珩珞溪茉黛蓼穗莳"
CHINESE_SECOND = "屿笺序原鹿舟野岸枝羽川语朵陶帆铃砂渡槎坞"
CHINESE_THIRD = "禾里庭集舍木田川舟屋园帧枕灯栈"
CHINESE_CITIES = (
    "深圳市",
    "杭州",
    "义乌市",
    "广州市",
    "宁波",
    "厦门",
    "泉州市",
    "东莞市",
    "佛山市",
    "苏州",
    "温州市",
    "青岛",
    "成都",
    "郑州",
    "汕头市",
)
CHINESE_TRADES = (
    "家居用品",
    "电子科技",
    "服饰",
    "户外用品",
    "母婴用品",
    "美妆",
    "灯饰",
    "五金工具",
    "宠物用品",
    "智能科技",
    "厨具",
    "箱包",
    "玩具",
    "园艺用品",
    "文具",
    "汽车用品",
    "运动器材",
    "眼镜",
    "饰品",
    "乐器",
)

JAPANESE_FIRST = ("ミナ", "ホノ", "カゼ", "ユラ", "トワ", "シオ", "ナギ", "リク", "アマ", "ヒヨ", "ツム", "コハ")
JAPANESE_SECOND = ("ミカ", "セト", "ロカ", "メリ", "ノワ", "タカ", "リト", "サヤ", "ヨギ", "ウネ")
JAPANESE_TRADES = ("工房", "商店", "製作所", "物産", "デザイン", "雑貨", "用品", "文具店")
JAPANESE_FORMS = ("株式会社{}", "{}株式会社", "合同会社{}", "有限会社{}")

ENGLISH_FIRST = ("Larkfen", "Quillow", "Brackten", "Tarnby", "Sedgem", "Hollowin", "Fernmoss", "Wrenlock", "Ashcove")
ENGLISH_SECOND = ("mere", "wick", "combe", "dell", "rigg", "stowe", "march", "field", "haven")
ENGLISH_FORMS = (
    "{} Trading (HK) Limited",
    "{} International (HK) Limited",
    "{} Home & Living Limited",
    "{} Goods Limited",
)

GERMAN_FIRST = ("Vell", "Korr", "Thal", "Nebb", "Grün", "Orsch", "Möhr", "Staub")
GERMAN_SECOND = ("brunnen", "merk", "werd", "lind", "wiesel", "hagen", "pfand")
GERMAN_FORMS = ("{} Versand GmbH", "{} Haushaltswaren GmbH", "{} & Söhne KG", "{} Werkzeuge UG (haftungsbeschränkt)")
FRENCH_FIRST = ("Vérou", "Delau", "Marci", "Célan", "Brisa", "Fougè", "Troué")
FRENCH_SECOND = ("line", "vaux", "tière", "gnac", "rolle", "sanne", "mélie")
FRENCH_FORMS = ("Maison {} SAS", "{} et Compagnie SARL", "Ateliers {} SAS")
ITALIAN_FIRST = ("Bravel", "Mondar", "Celest", "Torvan", "Sciar", "Lumer", "Pavon")
ITALIAN_SECOND = ("oria", "esella", "uccia", "anelli", "imonte", "overa")
ITALIAN_FORMS = ("Officina {} S.r.l.", "{} Casa S.r.l.", "Pelletteria {} S.n.c.")
SPANISH_FIRST = ("Monca", "Ribal", "Soltre", "Añor", "Cervi", "Palen", "Torreji")
SPANISH_SECOND = ("dura", "deza", "món", "jal", "quera", "ñuelo")
SPANISH_FORMS = ("Talleres {} S.L.", "{} Hogar S.L.", "Comercial {} S.A.")

BRAND_FIRST = ("Luv", "Kest", "Vand", "Mor", "Zil", "Orv", "Tyl", "Fen", "Quar", "Nib", "Sarv", "Wex", "Pell", "Jun")
BRAND_SECOND = ("ar", "ista", "olin", "emo", "uve", "adru", "ipha", "oril", "azan", "ythe")
BRAND_THIRD = ("ro", "va", "nyx", "ex", "io", "uelle", "ath", "mis", "dum", "kko", "lune", "pi")

PARTNER_TRADES: dict[str, tuple[str, str]] = {
    Category.PAYMENT: ("支付科技", "Payments"),
    Category.COMPLIANCE: ("合规咨询", "Compliance"),
    Category.LOGISTICS: ("国际物流", "Logistics"),
    Category.ADVERTISING: ("数字营销", "Performance Media"),
    Category.STORE_OPERATION: ("电商运营", "Store Operations"),
    Category.ERP: ("软件", "Systems"),
    Category.TRAINING: ("跨境教育咨询", "Academy"),
    Category.MEDIA: ("传媒", "Trade Press"),
    Category.KOL: ("文化传播", "Creators"),
    Category.OVERSEAS_WAREHOUSE: ("海外仓储", "Fulfilment"),
    Category.OTHER: ("商务服务", "Services"),
}
