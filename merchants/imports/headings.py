"""A file's own headings and the feed's columns: which is which, said by a person, guessed for her, or the same.

What was said is a list of pairs in the file's order: a heading, and the feed's column that it holds; an empty one says
that the column is left out. Whoever makes files elsewhere uses her own words, in any order, with columns of her own.
"""

import unicodedata
from collections.abc import Sequence

from merchants.imports.kinds.base import Kind

Pairs = Sequence[Sequence[str]]

# What such columns are called elsewhere, in English and Chinese, as `_plain` writes it.
_CALLED: dict[str, tuple[str, ...]] = {
    "amount": ("settledamount", "金额", "结算金额"),
    "appealed_at": ("appealtime", "申诉时间"),
    "at": ("time", "changedat", "statustime", "时间", "变更时间", "状态时间"),
    "brand": ("brandname", "品牌", "品牌名称"),
    "category": ("type", "类型", "类别", "服务商类型", "违规类型"),
    "certified_at": ("certificationtime", "完成认证时间", "认证时间", "完成入驻时间"),
    "certified_from": ("certificationstart", "认证生效日期", "认证开始日期"),
    "certified_until": ("certificationend", "认证截止日期", "认证到期日期"),
    "claimed_at": ("claimtime", "报备时间"),
    "commitment": ("target", "承诺数量", "承诺商家数"),
    "contact_email": ("email", "contact", "mail", "邮箱", "联系邮箱"),
    "corrects": ("correction", "更正", "是否更正"),
    "country": ("countrycode", "国家", "国家地区", "注册国家", "所在国家"),
    "currency": ("currencycode", "币种", "货币"),
    "delisted_on": ("delistdate", "移出日期", "下线日期"),
    "enforced_closure": ("closed", "是否强制关店", "强制关店"),
    "expires_at": ("expiry", "validuntil", "到期时间", "失效时间"),
    "invite_code": ("link", "linkcode", "invitecode", "邀请码", "链接编码", "专属链接"),
    "kind": ("linetype", "单据类型", "结算类型"),
    "line_code": ("line", "lineid", "lineno", "结算行编码", "流水号", "行号"),
    "listed_on": ("listdate", "listingdate", "列入日期", "上架日期"),
    "market": ("site", "marketplace", "站点", "市场", "开店站点"),
    "merchant_name": ("merchant", "company", "companyname", "商家", "商家名称", "公司名称", "企业名称"),
    "name": ("partnername", "partner", "名称", "服务商名称"),
    "observed_at": ("snapshottime", "观测时间", "快照时间", "库存时间"),
    "order_code": ("order", "orderid", "orderno", "订单号", "订单编号"),
    "ordered_at": ("ordertime", "下单时间"),
    "overturned_at": ("appealsucceeded", "申诉成功时间", "撤销时间"),
    "partner_code": ("partner", "partnerid", "tsp", "tspcode", "服务商", "服务商编码", "服务商代码"),
    "penalised_at": ("penaltytime", "penalizedat", "处罚时间"),
    "program": ("programcode", "campaign", "激励计划", "计划编码"),
    "rate": ("exchangerate", "fxrate", "汇率"),
    "rate_date": ("date", "ratedate", "日期", "汇率日期"),
    "reason": ("note", "原因", "备注"),
    "receipt": ("receiptno", "回执", "登记回执号"),
    "registered_at": ("registrationtime", "signupat", "注册时间", "入驻时间"),
    "registration_no": ("registrationnumber", "licenceno", "licenseno", "注册号", "统一社会信用代码", "营业执照号"),
    "revoked_at": ("revocationtime", "撤销时间", "作废时间"),
    "review": ("reviewstate", "审核状态", "审核"),
    "sellable": ("stock", "quantity", "qty", "可售库存", "库存", "数量"),
    "settled_at": ("settlementtime", "结算时间"),
    "shop_code": ("shop", "shopid", "storeid", "店铺", "店铺编码", "店铺id"),
    "starts_at": ("start", "validfrom", "生效时间", "开始时间"),
    "status": ("state", "状态", "店铺状态"),
    "target_code": ("target", "entry", "entrycode", "靶向编码", "名单编码"),
    "track": ("tracktype", "名单类型", "邀约类型"),
    "violation_code": ("violation", "violationid", "违规编码", "违规单号"),
}


def guess(kind: Kind, header: Sequence[str]) -> list[str]:
    """Say for each heading which column it most likely is; empty where nothing speaks for one, or two headings do."""
    exact = {name for name in header if name in kind.by_name}
    found: list[str] = []
    for heading in header:
        if heading in exact:
            found.append(heading)
            continue
        plain = _plain(heading)
        fits = [
            column.name
            for column in kind.columns
            if column.name not in exact and (plain == _plain(column.name) or plain in _CALLED.get(column.name, ()))
        ]
        found.append(fits[0] if len(fits) == 1 else "")
    return [column if found.count(column) == 1 else "" for column in found]


def as_said(kind: Kind, pairs: Pairs) -> dict[str, str]:
    """The headings' new names: the feed's columns, and for what is left out a name that the feed doesn't know."""
    taken = set(kind.by_name) | {heading for heading, _ in pairs}
    names: dict[str, str] = {}
    for heading, column in pairs:
        name = column or heading
        if not column and heading in kind.by_name:
            while name in taken:
                name = f"({name})"
            taken.add(name)
        names[heading] = name
    return names


def _plain(text: str) -> str:
    return "".join(char for char in unicodedata.normalize("NFKC", text).casefold() if char.isalnum())
