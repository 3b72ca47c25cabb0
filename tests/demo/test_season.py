"""The demo's plan is pure: it depends on the day alone, tells of nothing that lies ahead, and leaves nothing out."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from functools import cache

import pytest

from core.errors import BadInput
from incentives.demo.cast import ALICE
from incentives.demo.feeds import KINDS, File
from incentives.demo.moments import ZONE
from incentives.demo.season import ProgramPlan, Season, plan_season
from incentives.demo.stories import CLOSED, RUNNING, sure_tellings
from partners.states import Category
from tests.oracle.reading import CONDITIONS, VERDICTS, World

MID_QUARTER = datetime(2026, 8, 20, 10, 30, tzinfo=ZONE)
DAYS = (
    datetime(2026, 4, 1, 9, 0, tzinfo=ZONE),  # the day after the closed quarter, still open for observation
    datetime(2026, 7, 1, 0, 3, tzinfo=ZONE),  # the first minutes of a quarter
    datetime(2026, 7, 4, 15, 0, tzinfo=ZONE),
    MID_QUARTER,
    datetime(2026, 12, 31, 23, 59, tzinfo=ZONE),  # the last of one
    datetime(2028, 2, 29, 12, 0, tzinfo=ZONE),
)
# What has happened at the row's own moment. Links and claims expire later, and policies allow it.
HAPPENED = (
    "starts_at",
    "revoked_at",
    "claimed_at",
    "registered_at",
    "certified_at",
    "at",
    "ordered_at",
    "settled_at",
    "observed_at",
    "penalised_at",
    "appealed_at",
    "overturned_at",
)


@cache
def planned(now: datetime) -> Season:
    return plan_season(now=now)


@pytest.fixture
def season() -> Season:
    return planned(MID_QUARTER)


def sound(season: Season) -> list[File]:
    return [file for file in season.files if not file.bad_rows]


def rows(season: Season, kind: str) -> list[dict[str, str]]:
    return [dict(row) for file in sound(season) if file.kind == kind for row in file.rows]


def read(season: Season) -> World:
    """The oracle, told what the demo's feeds tell."""
    world = World()
    for file in sound(season):
        world.apply(file.kind, [dict(row) for row in file.rows], file.recorded_at)
    return world


def judge(world: World, plan: ProgramPlan, as_of: datetime) -> list[dict[str, str]]:
    return world.evaluate(plan.code, plan.period.first, plan.period.last, plan.document, as_of)[0]


def test_the_same_day_gives_the_same_plan_to_the_letter(season: Season) -> None:
    assert plan_season(now=MID_QUARTER) == season
    assert plan_season(now=MID_QUARTER, seed="another").files != season.files


def test_the_closed_program_is_the_same_on_every_day(season: Season) -> None:
    def lines(found: Season) -> set[str]:
        return {row["line_code"] for row in rows(found, "settlements") if row["line_code"].startswith("L26Q1")}

    assert lines(season) == lines(plan_season(now=MID_QUARTER + timedelta(days=30)))


@pytest.mark.parametrize("now", DAYS, ids=str)
class TestOnAnyDay:
    def test_nothing_lies_ahead(self, now: datetime) -> None:
        season = planned(now)
        recorded = [file.recorded_at for file in season.files]
        assert recorded == sorted(recorded)
        assert recorded[-1] <= now
        for file in sound(season):
            for row in file.rows:
                ahead = [row[c] for c in HAPPENED if row.get(c) and datetime.fromisoformat(row[c]) > file.recorded_at]
                assert not ahead, (file.name, row)
                assert not row.get("rate_date") or date.fromisoformat(row["rate_date"]) <= now.date()
                assert not row.get("listed_on") or date.fromisoformat(row["listed_on"]) <= now.date()

    def test_rows_are_well_formed(self, now: datetime) -> None:
        """Whatever the contract calls a row error would show up here first."""
        season = planned(now)
        for file in sound(season):
            for row in file.rows:
                if file.kind == "settlements":
                    assert row["ordered_at"] <= row["settled_at"]
                    assert (float(row["amount"]) > 0) == (row["kind"] == "sale"), row
                    assert float(row["amount"]) != 0
                if file.kind == "shops" and row["certified_at"]:
                    assert row["registered_at"] <= row["certified_at"], row
                if file.kind == "invites":
                    assert row["starts_at"] < row["expires_at"], row
                if file.kind == "targets":
                    assert bool(row["partner_code"]) == (row["track"] == "directed")
                    assert row["brand"] or row["registration_no"]
                    assert not row["delisted_on"] or row["listed_on"] < row["delisted_on"], row

    def test_every_sure_story_is_told(self, now: datetime) -> None:
        season = planned(now)
        for plan, stories in ((season.closed, CLOSED), (season.running, RUNNING)):
            wanted = Counter(story.key for story, _ in sure_tellings(stories))
            assert not wanted - plan.stories

    def test_references_come_before_what_refers_to_them(self, now: datetime) -> None:
        known: dict[str, set[str]] = {
            "partner_code": {""},
            "target_code": {""},
            "invite_code": {""},
            "shop_code": set(),
        }
        owner = {"partners": "partner_code", "targets": "target_code", "invites": "invite_code", "shops": "shop_code"}
        for file in sound(planned(now)):
            for row in file.rows:
                key = owner.get(file.kind, "")
                for column in known.keys() & row.keys():
                    assert column == key or row[column] in known[column], (file.name, row)
                if key:
                    known[key].add(row[key])

    def test_the_running_program_has_something_to_win_and_to_lose(self, now: datetime) -> None:
        season = planned(now)
        found = Counter(row["verdict"] for row in judge(read(season), season.running, season.moments.now))
        assert found["pending"] >= 100
        assert found["not_eligible"] >= 20


def test_in_the_middle_of_a_quarter_every_verdict_and_outcome_occurs(season: Season) -> None:
    world = read(season)
    closed = judge(world, season.closed, season.closed.as_of)
    running = judge(world, season.running, season.moments.now)
    for program in (closed, running):
        assert {row["verdict"] for row in program} == set(VERDICTS)
    expected = {
        "listed": {"met", "not_met", "pending"},
        "first_entity": {"met", "not_met", "pending"},
        "partner_certified": {"met", "not_met", "pending"},
        "exclusive_link": {"met", "not_met", "not_applicable"},
        "onboarded": {"met", "not_met", "pending"},
        "activated": {"met", "not_met", "pending", "unknown"},
        "stocked": {"met", "not_met", "pending", "unknown", "not_applicable"},
        "shop_normal": {"met", "not_met", "pending", "unknown"},
    }
    assert {key: {row[key] for row in closed + running} for key in CONDITIONS} == expected


def test_alice_can_win_some_this_week(season: Season) -> None:
    today = season.moments.today
    due = [
        row
        for row in judge(read(season), season.running, season.moments.now)
        if row["partner_code"] == ALICE
        and row["verdict"] == "pending"
        and row["window_ends_on"]
        and today <= date.fromisoformat(row["window_ends_on"]) <= today + timedelta(days=7)
    ]
    assert len(due) >= 5
    assert any(0 < float(row["gmv_cny"]) <= 1000 for row in due)
    assert any(float(row["gmv_cny"]) == 0 for row in due)
    assert any(len(row["stock_countries"].split("|")) == 3 for row in due)


def test_this_morning_changed_verdicts_since_yesterday(season: Season) -> None:
    world = read(season)
    before = {row["shop_code"]: row for row in judge(world, season.running, season.running.as_of)}
    after = judge(world, season.running, season.moments.now)
    moves = {(before[row["shop_code"]]["verdict"], row["verdict"]) for row in after if row["shop_code"] in before}
    assert {("pending", "eligible"), ("needs_data", "eligible"), ("eligible", "not_eligible")} <= moves
    assert any(row["shop_code"] not in before for row in after)


def test_discounts_reach_every_tier(season: Season) -> None:
    plan = season.closed
    payouts = read(season).evaluate(plan.code, plan.period.first, plan.period.last, plan.document, plan.as_of)[1]
    assert {payout["factor"] for payout in payouts} == {"1.00", "0.90", "0.70", "0.50", "0.00"}


def test_size_and_variety(season: Season) -> None:
    partners = {row["partner_code"]: row for row in rows(season, "partners")}
    assert len(partners) == 60
    assert {row["category"] for row in partners.values()} == set(Category.values)
    merchants = {
        (row["country"], row["registration_no"]): row["merchant_name"]
        for kind in ("targets", "shops")
        for row in rows(season, kind)
        if row["registration_no"]
    }
    assert 1400 <= len(merchants) <= 1700
    assert 20_000 <= len(rows(season, "settlements")) <= 42_000
    assert {row["currency"] for row in rows(season, "settlements")} == {"EUR", "JPY", "GBP", "SEK", "USD", "CNY"}
    assert {row["kind"] for row in rows(season, "settlements")} == {"sale", "refund"}
    assert {row["market"] for row in rows(season, "shops")} >= {"DE", "FR", "IT", "ES", "IE", "JP"}
    assert {row["status"] for row in rows(season, "shop_statuses")} == {"open", "restricted", "closing", "closed"}
    assert {row["status"] for row in rows(season, "claims")} == {"approved", "pending", "rejected"}
    assert {row["review"] for row in rows(season, "targets")} == {"approved", "pending", "rejected"}
    assert any(row.get("overturned_at") for row in rows(season, "violations"))
    assert {file.kind for file in season.files} == set(KINDS)


def test_names_are_invented_in_several_scripts(season: Season) -> None:
    names = {row["merchant_name"] for row in rows(season, "shops")}
    assert all(name.strip() for name in names)
    for script in (r"[\u4e00-\u9fff]", r"[\u30a0-\u30ff]", r"^[A-Za-z &()]+$", r"[äöüÄÖÜß]", r"[éèçô]"):
        assert any(re.search(script, name) for name in names), script
    partners = {row["name"] for row in rows(season, "partners")}
    assert len(partners) == 60
    assert all(row["contact_email"].endswith(".example.com") for row in rows(season, "partners"))


def test_one_file_is_wrong_on_purpose(season: Season) -> None:
    wrong = [file for file in season.files if file.bad_rows]
    assert [(file.kind, file.bad_rows, len(file.rows)) for file in wrong] == [("settlements", 6, 10)]


def test_a_clock_that_stands_too_early_is_refused() -> None:
    with pytest.raises(BadInput, match="clock"):
        plan_season(now=datetime(2026, 3, 31, 23, 59, tzinfo=ZONE))


def test_a_wave_tells_each_key_once(season: Season) -> None:
    keys = {
        "partners": ("partner_code",),
        "targets": ("target_code",),
        "invites": ("invite_code",),
        "shops": ("shop_code",),
        "settlements": ("line_code",),
        "fx": ("rate_date", "currency"),
    }
    for file in sound(season):
        told: Iterable[tuple[str, ...]] = [
            tuple(row[column] for column in keys.get(file.kind, ())) for row in file.rows if file.kind in keys
        ]
        assert max(Counter(told).values(), default=1) == 1, file.name
