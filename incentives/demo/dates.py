"""When a shop registers and is certified, by its story: most at any time of the quarter, some this very week."""

from __future__ import annotations

from datetime import date, datetime

from core.values import local_date
from incentives.demo.moments import DAY, ZONE
from incentives.demo.rates import CLOSED_GAP
from incentives.demo.scene import GRACE_DAYS, WINDOW_DAYS, Scene
from incentives.demo.stories import Story

EARLIEST_LEAD_DAYS = 25


def certification(scene: Scene, story: Story) -> datetime | None:
    """The moment of a shop's certification, which may lie ahead; None where it never comes."""
    match story.certified:
        case "never" | "not_yet":
            return None
        case "overnight":
            return scene.overnight()
        case _:
            return scene.office_hours(_certified_on(scene, story.certified))


def _certified_on(scene: Scene, when: str) -> date:
    first, last, today, random = scene.period.first, scene.period.last, scene.moments.today, scene.random
    match when:
        case "early":
            span = (today - first).days // 2 if scene.running else EARLIEST_LEAD_DAYS + 10
            return first + random.randint(0, max(0, span - 1)) * DAY
        case "second_half":
            return first + random.randint(45, (last - first).days - 5) * DAY
        case "after_end":
            return first + random.randint(54, 80) * DAY
        case "outside":
            return first - random.randint(3, 9) * DAY
    # Stories of this week, as far as the quarter reaches back.
    ago = {
        "due": WINDOW_DAYS - random.randint(1, 7),
        "window_over": WINDOW_DAYS + random.randint(2, 24),
        # Its last settlement day was yesterday; so long a quarter reaches back only in its third month.
        "lapsed": WINDOW_DAYS + GRACE_DAYS + 1,
        "settled": random.randint(8, 28),
        "unrated": random.randint(6, 20),
    }.get(when)
    if ago is not None and scene.running:
        day = today - ago * DAY
        return day if day >= first else first + random.randint(0, (today - first).days) * DAY
    if when == "unrated":
        return CLOSED_GAP[0] - random.randint(0, 14) * DAY
    return first + random.randint(0, (last - first).days) * DAY


def registration(scene: Scene, story: Story, certified_at: datetime | None) -> datetime:
    """The moment of a shop's registration, some days before its certification."""
    if certified_at is not None:
        return scene.after(certified_at, -EARLIEST_LEAD_DAYS + 3, -1.5)
    if story.certified == "not_yet":
        return scene.after(scene.now, -18, -1)
    day = local_date(scene.now, ZONE) if scene.running else scene.period.last - 5 * DAY
    return scene.office_hours(day - scene.random.randint(2, 70) * DAY)
