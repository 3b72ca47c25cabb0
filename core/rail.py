"""The admin dashboard's rail: what operators can go to, grouped by work. A page adds itself here, and nowhere else.

Names of addresses, not imports: the rail stands on the lowest floor, the pages on all.
"""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy


@dataclass(frozen=True, slots=True)
class Entry:
    """One page: what `here` calls it, its words, its address and its icon's path (16 by 16).

    `of_program` says that the address takes the code of the program at hand; without one the entry isn't shown.
    """

    key: str
    label: Promise
    url_name: str
    icon: str
    of_program: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Entries under one heading; the first group has none."""

    heading: Promise | None
    entries: tuple[Entry, ...]


_INTO = "M8 2v8M4.500 7 8 10.500 11.500 7M2.500 12v2h11v-2"
_CALENDAR = "M2.500 3.500h11V14h-11zM2.500 6.500h11M5.500 2v3M10.500 2v3"
_SHOP = "M2 6h12l-1-3.500H3zM3 6v8h10V6M6.500 14v-4h3v4"
_QUESTION = "M8 14.500a6.500 6.500 0 1 0 0-13 6.500 6.500 0 0 0 0 13zM6 6a2 2 0 1 1 3 1.700L8 8.500v.7M8 11.500v.1"
_ROUND = "M13.500 8A5.500 5.500 0 1 1 11 3.400M11 1v3H8"
_PERSON = "M8 8a2.750 2.750 0 1 0 0-5.500A2.750 2.750 0 0 0 8 8zM2.500 14a5.500 5.500 0 0 1 11 0"
_MONEY = "M1.500 4h13v8h-13zM8 10a2 2 0 1 0 0-4 2 2 0 0 0 0 4zM4 8h.1M12 8h.1"
_SHEET = "M4 1.500h5.500L13 5v9.500H4zM9 1.500V5.500h4M6.500 8.500h4M6.500 11.500h4"
_PAIR = "M6 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM1 14a5 5 0 0 1 10 0M10.500 2.500a3 3 0 0 1 0 5M12 10l2.500 4"
_NOBODY = "M7 8a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM2 14a5 5 0 0 1 8-4M11 11l3.500 3.500M14.500 11 11 14.500"
_BANK = "M2 6.500 8 3l6 3.500M3 13.500h10M4 7v5M8 7v5M12 7v5"
_BOOK = "M3 2.500h9.500v11H4.500A1.500 1.500 0 0 1 3 12zM3 12a1.500 1.500 0 0 1 1.500-1.500h8M6 5.500h4"
_TARGET = "M14 8A6 6 0 1 1 8 2M11 8a3 3 0 1 1-3-3M8 8l6-6M11.500 2v2.500H14"
_LIST = "M5.500 4h8M5.500 8h8M5.500 12h8M2.500 4h.1M2.500 8h.1M2.500 12h.1"

RAIL: tuple[Group, ...] = (
    Group(None, (Entry("overview", gettext_lazy("Today"), "console-overview", "M2 7.500 8 2.500l6 5V14H2z"),)),
    Group(
        gettext_lazy("Recruit"),
        (
            Entry("applications", gettext_lazy("Applications"), "console-applications", _SHEET),
            Entry("partners", gettext_lazy("Partners"), "console-partners", _PAIR),
            Entry("lists", gettext_lazy("Lists"), "console-lists-newest", _TARGET),
        ),
    ),
    Group(
        gettext_lazy("Facts"),
        (
            Entry("feeds", gettext_lazy("Feeds"), "console-feeds", _INTO),
            Entry("shops", gettext_lazy("Shops"), "console-shops", _SHOP, of_program=True),
            Entry("unattributed", gettext_lazy("Without a partner"), "console-unattributed", _NOBODY),
            Entry("unknown", gettext_lazy("Unknown data"), "console-unknown", _QUESTION, of_program=True),
        ),
    ),
    Group(
        gettext_lazy("Evaluate"),
        (
            Entry("programs", gettext_lazy("Programs"), "console-programs", _CALENDAR),
            Entry("runs", gettext_lazy("Runs"), "console-runs", _ROUND),
        ),
    ),
    Group(
        gettext_lazy("Pay"),
        (
            Entry("payouts", gettext_lazy("Review"), "console-payouts", _MONEY),
            Entry("payments", gettext_lazy("Payments"), "console-payments", _BANK),
            Entry("ledger", gettext_lazy("Ledger"), "console-ledger", _BOOK),
        ),
    ),
    Group(
        gettext_lazy("Govern"),
        (
            Entry("people", gettext_lazy("People"), "console-people", _PERSON),
            Entry("audit", gettext_lazy("Audit trail"), "console-audit", _LIST),
        ),
    ),
)
