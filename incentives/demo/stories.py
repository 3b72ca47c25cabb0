"""What can happen to a shop: each story is a clean one with something changed, and some are told for sure.

The words of a story's fields are read by `lists` (how it is listed and brought in) and `happenings` (what it
sells, stocks and suffers). Weights share out the shops that no sure story has taken.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

from incentives.demo.cast import (
    ALICE,
    BACKDATED,
    CHARLIE,
    ENDED,
    LATE,
    OVERTURNED,
    TIER_0,
    TIER_50,
    TIER_70,
    UNCERTIFIED,
)


@dataclass(frozen=True, slots=True)
class Story:
    """One shop's fate. `sure`: told so often at least; `told_of`: to whom it happens first, one for each telling."""

    key: str
    weight: int = 0
    sure: int = 0
    told_of: tuple[str, ...] = ()
    listing: str = "approved"
    way: str = "any"
    certified: str = "any"
    twin: str = ""
    sales: str = "good"
    stock: str = "all"
    status: str = "open"
    violation: str = ""


def _stories(*stories: Story) -> tuple[Story, ...]:
    assert len({story.key for story in stories}) == len(stories)  # noqa: S101 - a slip in the table below
    return stories


CLEAN = Story("clean", weight=320, sure=20, told_of=(ALICE,) * 10 + (CHARLIE,) * 6)

# What can go wrong, or right, in any quarter.
_COMMON = (
    CLEAN,
    Story("directed", weight=60, sure=8, told_of=(ALICE,) * 4 + (CHARLIE,) * 2, way="directed"),
    Story("directed_own_general_link", sure=2, told_of=(ALICE,), way="directed_general"),
    Story("directed_without_link", weight=5, sure=3, told_of=(ALICE,), way="directed_record"),
    Story("directed_wrong_link", weight=3, sure=3, told_of=(CHARLIE,), way="directed_rival"),
    Story("directed_expired_link", weight=2, sure=2, told_of=(ALICE,), way="directed_expired"),
    Story("directed_revoked_link", sure=2, way="directed_revoked"),
    Story("claimed", weight=45, sure=6, told_of=(ALICE,) * 3, way="claim"),
    Story("claim_beats_link", weight=3, sure=4, told_of=(ALICE, ALICE, CHARLIE), way="claim_beats_link"),
    Story("brand_entry", weight=22, sure=5, told_of=(ALICE,), listing="brand_only"),
    Story("listed_late", weight=12, sure=3, told_of=(ALICE,), listing="late"),
    Story("delisted_before", weight=8, sure=2, listing="delisted"),
    Story("delisted_later", weight=6, sure=2, listing="delisted_later"),
    Story("review_rejected", weight=6, sure=2, listing="rejected"),
    Story("review_pending", weight=5, sure=3, told_of=(ALICE,), listing="pending"),
    Story("not_on_the_list", weight=12, sure=3, listing="none"),
    Story("second_of_merchant", weight=10, sure=4, told_of=(ALICE, CHARLIE), twin="merchant"),
    Story("second_of_brand", weight=12, sure=4, told_of=(CHARLIE, ALICE), twin="brand"),
    Story("partner_uncertified", sure=6, told_of=(UNCERTIFIED,) * 6),
    Story("refunded", weight=16, sure=3, told_of=(ALICE,), sales="refunded"),
    Story("no_sales", weight=60, sure=4, told_of=(ALICE, ALICE), sales="none"),
    Story("sold_too_little", weight=60, sure=5, told_of=(ALICE, ALICE, CHARLIE), sales="short"),
    Story("exactly_the_threshold", sure=1, sales="exact"),
    Story("stock_missing_one", weight=34, sure=4, told_of=(ALICE,), stock="one_missing"),
    Story("stock_seen_empty", weight=10, sure=2, stock="empty"),
    Story("stock_no_feed", weight=8, sure=4, told_of=(ALICE, CHARLIE), stock="no_feed"),
    Story("no_status", weight=6, sure=4, told_of=(ALICE, CHARLIE), status="none"),
    Story("restricted", weight=8, sure=2, status="restricted"),
    Story("closing", weight=12, sure=3, told_of=(ALICE,), status="closing"),
    Story("closed_by_itself", weight=10, sure=2, status="closed"),
    Story("reopened", weight=5, sure=2, status="reopened"),
    Story("violation_minor", weight=14, sure=3, told_of=(ALICE,), violation="minor"),
    Story("violation_kept_open", weight=5, sure=2, violation="severe_kept_open"),
    Story("closed_for_licence", weight=5, sure=2, violation="other_closure"),
    Story(
        "closed_severe",
        sure=8,
        told_of=(ALICE, TIER_70, TIER_70, TIER_50, TIER_50, TIER_0, TIER_0, TIER_0),
        violation="severe",
    ),
    Story("closure_overturned", sure=2, told_of=(OVERTURNED, OVERTURNED), violation="overturned"),
    Story("unattributed", weight=10, sure=5, way="none"),
    Story("other_market", weight=5, sure=2, way="record", listing="other_market"),
    Story("unrated_currency", weight=2, sure=8, told_of=(ALICE, CHARLIE), certified="unrated", sales="unrated"),
    Story("several_troubles", weight=10, sure=2, stock="one_missing", sales="short", status="closing"),
)

CLOSED = _stories(
    *_COMMON,
    Story("never_certified", weight=30, sure=4, told_of=(ALICE, ALICE), certified="never", sales="none"),
    Story("outside_the_quarter", weight=5, sure=2, certified="outside"),
    Story("settled_too_late", weight=8, sure=2, told_of=(ALICE,), sales="late"),
    Story("sold_after_the_window", weight=8, sure=2, sales="after_window"),
    Story("closed_after_observation", weight=3, sure=2, status="closed_later"),
    Story("partner_certified_later", sure=4, told_of=(LATE,) * 4, certified="early"),
    Story("partner_certified_in_time", sure=4, told_of=(LATE,) * 4, certified="second_half"),
    Story("partner_certification_ended", sure=3, told_of=(ENDED,) * 3, certified="after_end"),
    Story("partner_certification_lasted", sure=4, told_of=(ENDED,) * 4, certified="early"),
    Story("overturned_this_morning", sure=1, told_of=(OVERTURNED,), violation="overturned_overnight"),
)

_DUE = (ALICE, ALICE, ALICE, CHARLIE, CHARLIE, TIER_70, TIER_50)

RUNNING = _stories(
    *(
        replace(story, weight=story.weight // 2) if story.key in {"no_sales", "sold_too_little"} else story
        for story in _COMMON
    ),
    # Winnable this week: everything but the money, the stock, or any sale at all.
    Story("due_gmv_short", sure=12, told_of=_DUE, certified="due", sales="short", way="link"),
    Story("due_no_sales", sure=6, told_of=_DUE[2:5], certified="due", sales="none"),
    Story("due_stock_missing", sure=6, told_of=_DUE[1:4], certified="due", sales="short", stock="one_missing"),
    Story("waiting_for_settlements", sure=9, told_of=_DUE[1:5], certified="window_over", sales="short"),
    Story("waiting_for_certification", weight=20, sure=8, told_of=_DUE[1:4], certified="not_yet", sales="none"),
    Story("backdated_partner", sure=3, told_of=(BACKDATED,) * 3, certified="early"),
    # What arrived this morning, so that the newest run differs from the one before.
    Story("tipped_overnight", sure=8, told_of=_DUE[1:5], certified="due", sales="tipped"),
    Story("stocked_overnight", sure=5, told_of=_DUE[2:4], stock="last_overnight", certified="settled"),
    Story("closing_overnight", sure=3, told_of=_DUE[2:4], status="closing_overnight", certified="settled"),
    Story("closed_overnight", sure=1, told_of=(TIER_70,), violation="severe_overnight", certified="settled"),
    Story("rated_overnight", sure=3, told_of=(ALICE,), sales="rated_overnight", certified="settled"),
    Story("lapsed_overnight", sure=3, told_of=_DUE[2:4], sales="short", certified="lapsed"),
    Story("approved_overnight", sure=4, told_of=_DUE[2:4], listing="approved_overnight", certified="settled"),
    Story("certified_overnight", sure=9, told_of=_DUE[1:6], certified="overnight"),
)

# What happens to these partners is written above; none of the other shops are theirs.
CLOSED_APART = frozenset({UNCERTIFIED, LATE, ENDED, BACKDATED})
RUNNING_APART = frozenset({UNCERTIFIED, ENDED, BACKDATED})


def sure_tellings(stories: Iterable[Story]) -> list[tuple[Story, str | None]]:
    """Every sure telling, with the partner that it is told of, or None where any will do."""
    return [
        (story, story.told_of[turn] if turn < len(story.told_of) else None)
        for story in stories
        for turn in range(max(story.sure, len(story.told_of)))
    ]
