"""Organisations that have applied to become partners: some wait, some were asked for more, one was turned down.

Their people have accounts that nobody signs in with.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.core.files.uploadedfile import SimpleUploadedFile

from core.actors import Actor
from core.models import User
from incentives.demo.moments import DAY
from incentives.demo.papers import paper
from partners.models import Application
from partners.people import actor_of
from partners.services import (
    add_application_file,
    answer_application,
    ask_for_information,
    claim_application,
    reject_application,
    save_draft,
    submit_application,
)


@dataclass(frozen=True, slots=True)
class Applicant:
    """Who applies, and how many days ago; `fate` is how far it has come. No register gives such a number out.

    `contact` has their mail at `host`, in front of `.example.com`.
    """

    fate: str
    days: float
    name: str
    category: str
    country: str
    registration_no: str
    contact: str
    host: str
    markets: tuple[str, ...]
    resources: tuple[str, ...]
    services: tuple[str, ...]
    about: str


APPLICANTS = (
    Applicant(
        "submitted",
        0.4,
        "杭州屿舟仓配有限公司",
        "overseas_warehouse",
        "CN",
        "91990001MA90001001",
        "沈屿",
        "yuzhou",
        ("DE", "ES", "FR", "IT"),
        ("cross_border",),
        ("logistics",),
        "在法兰克福和瓦伦西亚有两处海外仓，服务四十家商家。",
    ),
    Applicant(
        "submitted",
        2,
        "Brackenfold Media Limited",
        "kol",
        "HK",
        "DEMO-9002",
        "Iris Chow",
        "brackenfold",
        ("DE", "FR", "JP"),
        ("cross_border",),
        ("operations",),
        "An agency for creators; forty of them present products in German and French.",
    ),
    Applicant(
        "submitted",
        4,
        "株式会社霧坂トレード",
        "store_operation",
        "JP",
        "0000100900003",
        "霧坂 蓮",
        "kirisaka",
        ("JP",),
        ("cross_border", "domestic"),
        ("operations", "logistics"),
        "中国の出店者二十社の日本店舗を運営しています。",
    ),
    Applicant(
        "in_review",
        5,
        "厦门榕汐合规咨询有限公司",
        "compliance",
        "CN",
        "91990004MA90004004",
        "苏汐",
        "rongxi",
        ("DE", "ES", "FR", "IT"),
        ("cross_border",),
        ("compliance",),
        "为跨境商家办理增值税、包装法和生产者责任延伸登记。",
    ),
    Applicant(
        "asked",
        7,
        "Tarnwick Payments Limited",
        "payment",
        "HK",
        "DEMO-9005",
        "Noel Tarn",
        "tarnwick",
        ("DE", "FR", "JP"),
        ("cross_border",),
        ("compliance",),
        "Collects and settles sales in euro and yen for merchants from Guangdong.",
    ),
    Applicant(
        "answered",
        9,
        "苏州栎岸软件有限公司",
        "erp",
        "CN",
        "91990006MA90006006",
        "顾栎",
        "lian",
        ("DE", "FR", "JP"),
        ("cross_border", "domestic"),
        ("operations",),
        "订单与库存系统，三百家商家在用，其中六十家做欧洲站。",
    ),
    Applicant(
        "rejected",
        20,
        "Quillmarsh Training Limited",
        "training",
        "HK",
        "DEMO-9007",
        "Ada Quill",
        "quillmarsh",
        ("DE",),
        ("domestic",),
        ("operations",),
        "Courses for people who want to open their first shop.",
    ),
)
QUESTION = "请补充两家欧洲站商家的合作案例。Please add two merchants that you have worked with in Europe."
ANSWER = "青岛禾屿家居、汕头澄帆玩具的欧洲站订单由我们对接。Two merchants whose European orders run through our system."
REASON = "登记号与营业执照不符。The number isn't the one on the licence."


def let_organisations_apply(*, recruiter: Actor, now: datetime) -> None:
    """Hand the applications in, and let `recruiter` take each as far as it has come by `now`."""
    for who in APPLICANTS:
        at = now - who.days * DAY
        applicant = _account(who)
        draft = save_draft(actor=applicant, data=_stated(who), at=at)
        licence = SimpleUploadedFile(f"licence-{who.host}.pdf", paper(f"Sample licence  {who.registration_no}"))
        add_application_file(actor=applicant, application=draft, file=licence, at=at)
        application = submit_application(actor=applicant, application=draft, at=at)
        if who.fate != "submitted":
            _review(application, who.fate, recruiter=recruiter, applicant=applicant, at=at)


def _review(application: Application, fate: str, *, recruiter: Actor, applicant: Actor, at: datetime) -> None:
    application = claim_application(actor=recruiter, application=application, at=at + DAY)
    decided_at = at + timedelta(days=2)
    if fate == "rejected":
        reject_application(actor=recruiter, application=application, reason=REASON, at=decided_at)
    elif fate != "in_review":
        application = ask_for_information(actor=recruiter, application=application, question=QUESTION, at=decided_at)
        if fate == "answered":
            answer_application(actor=applicant, application=application, answer=ANSWER, at=at + 4 * DAY)


def _stated(who: Applicant) -> dict[str, object]:
    return {
        "name": who.name,
        "category": who.category,
        "country": who.country,
        "registration_no": who.registration_no,
        "markets": who.markets,
        "resources": who.resources,
        "services": who.services,
        "contact_name": who.contact,
        "contact_email": _mail(who),
        "about": who.about,
    }


def _mail(who: Applicant) -> str:
    return f"contact@{who.host}.example.com"


def _account(who: Applicant) -> Actor:
    user = User(email=_mail(who), name=who.contact, language="zh-hans" if who.country == "CN" else "en")
    user.set_unusable_password()
    user.save()
    return actor_of(user)
