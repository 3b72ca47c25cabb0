"""Whoever signs in with what the demo prints finds work: in every queue of the first page, and behind the rail."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from core.actors import Role
from core.models import DraftState, PolicyDraft, User
from incentives.demo.applicants import APPLICANTS
from incentives.demo.seeding import Seeded
from incentives.demo.signins import PASSWORD, SIGNINS, SignIn
from incentives.invoice_states import InvoiceState
from incentives.models import Adjustment, BankResult, Invoice, PaymentBatch, Payout, PayoutPreview
from incentives.policies import can_confirm_adjustment
from incentives.queries.queues import WAITING
from incentives.states import AdjustmentState
from merchants.console_shops import registrations_like, unattributed_shops
from partners.models import Application
from partners.people import actor_of
from tests.console.reading import text
from tests.demo.test_season import MID_QUARTER

# Each test's own changes are undone after it; the seeding stands until the last.
pytestmark = [pytest.mark.slow, pytest.mark.django_db]

OPERATORS = tuple(sign_in for sign_in in SIGNINS if sign_in.is_operator)


def signed_in(email: str) -> Client:
    """Somebody who has typed the printed password."""
    client = Client(headers={"accept-language": "en"})
    answer = client.post("/accounts/login/", {"login": email, "password": PASSWORD})
    assert answer.status_code == 302, email
    return client


def shown(client: Client, address: str) -> int:
    """How many rows a list has, over all of its pages."""
    answer = client.get(address, follow=True)
    assert answer.status_code == 200, address
    return int(answer.context["page"].paginator.count if "page" in answer.context else len(answer.context["rows"]))


def test_a_reviewer_an_approver_finance_and_an_auditor_may_sign_in(seeded: Seeded) -> None:
    roles = {role: sign_in for sign_in in OPERATORS for role in sign_in.roles}
    assert roles.keys() >= {Role.RECRUITER, Role.REVIEWER, Role.APPROVER, Role.FINANCE, Role.AUDITOR}
    begin = {sign_in.email: sign_in.path for sign_in in OPERATORS}
    assert len(begin) == len({roles[role].email for role in roles}) == 5, "each is a person of their own"
    for email, path in begin.items():
        assert path.startswith("/operator/")
        page = signed_in(email).get(path)
        assert page.status_code == 200, email
        assert 'class="rail console"' in page.content.decode()


@pytest.mark.parametrize("sign_in", OPERATORS, ids=lambda sign_in: sign_in.email)
def test_every_queue_of_the_first_page_holds_work(seeded: Seeded, sign_in: SignIn) -> None:
    client = signed_in(sign_in.email)
    queues = client.get("/operator/").context["queues"]
    assert bool(queues) == (sign_in.roles != (Role.AUDITOR,)), "the auditor works nothing off"
    for queue in queues:
        assert queue.count > 0, str(queue.label)
        assert shown(client, f"{reverse(queue.url_name)}?{queue.query}") > 0, "nor is the list it leads to"


def test_every_kind_of_queue_is_somebody_s(seeded: Seeded) -> None:
    first_pages = [signed_in(each.email).get("/operator/") for each in OPERATORS]
    found = {str(queue.label) for page in first_pages for queue in page.context["queues"]}
    assert found == {str(each.label) for each in WAITING}


def test_every_page_of_the_rail_has_something_to_do(seeded: Seeded) -> None:
    """Beside the first page's queues: whose page it is, and what it has to show."""
    running = seeded.season.running.code
    work = {
        "olga@example.com": (
            "/operator/applications",
            f"/operator/{running}/lists?review=pending",
            "/operator/duplicates",
            "/operator/feeds?outcome=troubled",
            "/operator/unattributed",
            "/operator/registrations/contested",
            "/operator/runs",
            "/operator/payouts?state=returned",
        ),
        "omar@example.com": (
            "/operator/payouts?state=in_review",
            "/operator/payouts?held=true",
            "/operator/ledger?show=adjustments&state=proposed",
        ),
        "fiona@example.com": (
            "/operator/payments?show=ready",
            "/operator/payments?show=not_yet",
            "/operator/payments?show=batches",
            "/operator/payments?show=results",
            "/operator/partners?payee=waiting",
            "/operator/ledger?show=accounts",
            "/operator/ledger?show=entries",
        ),
        "rosa@example.com": (
            "/operator/applications?whose=todo",
            "/operator/applications?state=submitted",
            "/operator/applications?whose=me",
            "/operator/applications?state=more_information",
        ),
    }
    for email, addresses in work.items():
        client = signed_in(email)
        assert not [address for address in addresses if not shown(client, address)], email


def test_unknown_data_of_every_cause(seeded: Seeded) -> None:
    """A stock that nobody saw is short until the quarter is over, and unknown then: the two programs show all."""
    olga, found = signed_in("olga@example.com"), {}
    for plan in seeded.season.programs:
        unknown = olga.get(f"/operator/{plan.code}/unknown").context["unknown"]
        found[plan.code] = {each.kind for each in unknown}
    assert found[seeded.season.running.code] >= {"rate", "status"}
    assert set().union(*found.values()) == {"rate", "stock", "status"}


def test_applications_wait_at_every_step(seeded: Seeded) -> None:
    found = Application.objects.exclude(files=None)
    assert found.count() == len(APPLICANTS)
    assert Counter(found.values_list("state", flat=True)) == {
        "submitted": 3,
        "in_review": 2,
        "more_information": 1,
        "rejected": 1,
    }
    assert found.filter(state="in_review", reviewer__email="rosa@example.com").count() == 2
    assert not found.filter(changed_at__gt=MID_QUARTER)


def test_a_list_keeper_finds_leads_that_are_listed_already(seeded: Seeded) -> None:
    page = signed_in("rosa@example.com").get(f"/operator/duplicates?program={seeded.season.running.code}")
    first = page.context["page"].object_list[0]
    assert max(first.names or 0, first.brands or 0) == 100
    pairs = {pair.second.code for pair in page.context["page"].paginator.object_list}
    assert pairs >= {"T-DEMO-0101", "T-DEMO-0102", "T-DEMO-0103"}
    assert "T-DEMO-0104" not in pairs, "one of the fair's is new"


def test_a_shop_of_nobody_resembles_a_registration(seeded: Seeded) -> None:
    olga = actor_of(User.objects.get(email="olga@example.com"))
    alike = [shop for shop in unattributed_shops(olga) if registrations_like(olga, shop)]
    assert [shop.code for shop in alike] == ["S-DEMO-0002"]
    assert "Kumoya Trading Limited" in text(signed_in("olga@example.com").get("/operator/attribution/S-DEMO-0002"))


def test_payouts_wait_for_the_next_submission(seeded: Seeded) -> None:
    """The newest run of the closed program has payouts that nobody submitted yet."""
    submitted = Payout.objects.filter(program__code=seeded.season.closed.code).values("partner")
    waiting = PayoutPreview.objects.filter(run=seeded.runs[0], eligible__gt=0).exclude(partner__in=submitted)
    assert waiting.count() >= 3
    page = signed_in("olga@example.com").get(f"/operator/runs/{seeded.runs[0].pk}")
    assert "Submit" in text(page)


def test_a_batch_at_every_step_and_payouts_beside_them(seeded: Seeded) -> None:
    batches = PaymentBatch.objects.order_by("pk")
    assert [(batch.state, batch.items.filter(state="waiting").count()) for batch in batches] == [
        ("exported", 0),  # the bank has answered
        ("exported", 3),
        ("locked", 1),
        ("draft", 2),
    ]
    result = BankResult.objects.get()
    assert (result.paid, result.refused, result.quarantined) == (1, 1, 0)
    fiona = signed_in("fiona@example.com")
    page = fiona.get("/operator/payments?show=not_yet")
    assert page.context["page"].paginator.count >= 3
    assert {row.code for row in page.context["rows"]} >= {"no_payee", "payee_waiting", "in_a_batch"}
    assert shown(fiona, "/operator/payments?show=ready") >= 3
    assert Invoice.objects.filter(state=InvoiceState.HANDED_IN)
    assert not Payout.objects.filter(approved_at__gt=MID_QUARTER - timedelta(days=8))


def test_a_second_person_is_waited_for(seeded: Seeded) -> None:
    omar = actor_of(User.objects.get(email="omar@example.com"))
    proposed = Adjustment.objects.filter(state=AdjustmentState.PROPOSED)
    assert {each.proposed_by.email for each in proposed} == {"olga@example.com", "fiona@example.com"}
    assert all(can_confirm_adjustment(omar, each) is True for each in proposed)
    draft = PolicyDraft.objects.get()
    assert (draft.program.code, draft.state) == (seeded.season.running.code, DraftState.OPEN)
    assert {edit.by.email for edit in draft.edits.all()} == {"olga@example.com"}
    page = f"/operator/programs/{seeded.season.running.code}/draft"
    assert "Publish" in text(signed_in("omar@example.com").get(page))
    published = signed_in("omar@example.com").post(f"{page}/publish", {"revision": "1", "examples": "on"}, follow=True)
    assert "Published version 2." in text(published)
