"""Who may do what at which address of the admin dashboard: exactly the table of docs/roles.md, asked by requests."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.messages import get_messages
from django.db import connection, transaction
from django.http import HttpRequest
from django.test import Client, RequestFactory
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from pytest_django.plugin import DjangoDbBlocker

from core.actors import OPERATOR_ROLES, Role
from incentives.services.bulk import BULK_STEPS
from tests.architecture.desk import Desk, make_desk
from tests.architecture.desk_posts import Posted, posted
from tests.architecture.test_docs import rows, section_all, word
from tests.architecture.test_urls import OURS, VALUES, readable

pytestmark = pytest.mark.django_db
DESK = ("operator/", "api/v1/operator/")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
STEP = re.compile(r"<(?:step|move|answer)>")


@dataclass(frozen=True)
class Cell:
    """An address, a method and a step, with the roles to which they are open."""

    address: str
    method: str
    step: str
    roles: frozenset[Role]

    def __str__(self) -> str:
        return " ".join(part for part in (self.method, self.address, self.step) if part)


def cells() -> Iterator[Cell]:
    """The table of docs/roles.md."""
    text = section_all("docs/roles.md", "The dashboard, address by address")
    [header] = {line for line in text.splitlines() if line.startswith("| address")}
    roles = [Role(name) for name in re.findall(r"`(\w+)`", header)]
    assert set(roles) == OPERATOR_ROLES
    for address, method, steps, *marks in rows(text):
        assert set(marks) <= {"", "●"}
        open_to = frozenset(role for role, mark in zip(roles, marks, strict=True) if mark)
        for step in [word(each) for each in steps.split(", ")]:
            yield Cell(word(address), method, step, open_to)


CELLS = list(cells())
LOOKED = [cell for cell in CELLS if cell.method == "GET"]
DECIDED = [cell for cell in CELLS if cell.method != "GET"]
# Where an address leads to something else than its namesakes.
ELSEWHERE = {
    "operator/trials/<run_id>": {"run_id": "trial"},
    "operator/trials/<run_id>/changes.csv": {"run_id": "trial"},
}
# What a decision would do, for who may take it.
FORESEEN = {"operator/runs/<run_id>/submit", "api/v1/operator/runs/<run>/submit"}
# Its first form says what a file would do; loading that is its second.
ONLY_SAYS = {"operator/payments/results"}


# --- The house ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def desk(
    django_db_setup: None, django_db_blocker: DjangoDbBlocker, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Desk]:
    """One house for the whole module; each request is undone."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield make_desk(tmp_path_factory.mktemp("desk"))
        transaction.set_rollback(True)


@pytest.fixture(scope="module")
def browsers(desk: Desk) -> dict[Role, Client]:
    """Signed in, each as somebody with that one role."""
    found = {}
    for role, user in desk.people.items():
        found[role] = Client(headers={"accept-language": "en"})
        found[role].force_login(user)
    return found


@contextmanager
def undone() -> Iterator[None]:
    """Whatever happens in here hasn't happened."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def filled(desk: Desk, cell: Cell, at: Mapping[str, int | str] | None = None) -> str:
    elsewhere = {part: desk.values[name] for part, name in ELSEWHERE.get(cell.address, {}).items()}
    values = {**desk.values, **elsewhere, **(at or {})}
    address = STEP.sub(cell.step, cell.address)
    return "/" + re.sub(r"<(\w+)>", lambda found: str(values[found[1]]), address)


def look(desk: Desk, cell: Cell, client: Client) -> Any:
    """Get the address."""
    payout = desk.payout()
    chosen = {"step": "approve", "payout": f"{payout.pk}:{payout.version}"}
    return client.get(filled(desk, cell), chosen if cell.address == "operator/payouts/decide" else {})


def send(desk: Desk, cell: Cell, client: Client, given: Posted) -> Any:
    """Post it there, as a browser does or as a program does."""
    address, form = filled(desk, cell, given.at), given.form
    if cell.address.startswith("api/") and not any(hasattr(value, "read") for value in form.values()):
        return client.post(address, form, content_type="application/json")
    return client.post(address, form)


def snapshot() -> dict[str, str]:
    """Every table as a count and a sum of its rows, without sign-ins (reading renews them) and how often one asked."""
    left_out = {"django_session", "usersessions_usersession", "partners_ratecount"}
    tables = sorted(set(connection.introspection.table_names()) - left_out)
    rows_of = "SELECT '{0}', count(*) || ':' || coalesce(sum(hashtextextended(t::text, 0)::numeric), 0) FROM \"{0}\" t"
    with connection.cursor() as cursor:
        cursor.execute(" UNION ALL ".join(rows_of.format(table) for table in tables))
        return dict(cursor.fetchall())


def changed(before: Mapping[str, str]) -> list[str]:
    """The tables that have changed since."""
    after = snapshot()
    return sorted(table for table in after if after[table] != before.get(table))


# --- The table has every address ----------------------------------------------------------------------------


def desk_patterns(patterns: list[URLPattern | URLResolver], before: str = "") -> Iterator[tuple[str, URLPattern]]:
    for pattern in patterns:
        address = before + readable(str(pattern.pattern))
        if isinstance(pattern, URLResolver):
            yield from desk_patterns(pattern.url_patterns, address)
        elif address.startswith(DESK) and "<format>" not in address:
            yield address, pattern


def posting(view: Any) -> Any:
    """What answers a post: the view itself, or of the API's views the method that it goes to."""
    return getattr(view.cls, view.actions["post"]) if "post" in getattr(view, "actions", {}) else view


def steps_of(address: str, pattern: URLPattern) -> set[str]:
    """The steps that can be taken there, as the code has them; one without a name where there are none."""
    spelled = re.search(r"\(\?P<(?:step|move|answer)>([\w|]+)\)", str(pattern.pattern))
    if spelled:
        return set(spelled[1].split("|"))
    opened_by = getattr(pattern.callback, "opened_by", None)
    if isinstance(opened_by, Mapping):
        [steps] = opened_by.values()
        return set(steps)
    return set(BULK_STEPS) if address == "api/v1/operator/bulk" else {""}


def test_the_table_has_every_address_and_step_and_no_other() -> None:
    there: dict[str, set[str]] = {}
    for address, pattern in desk_patterns(get_resolver().url_patterns):
        there.setdefault(address, set()).update(steps_of(address, pattern))
    shown: dict[str, set[str]] = {}
    for cell in CELLS:
        shown.setdefault(cell.address, set()).add(cell.step)
    assert set(shown) == set(there)
    looked = {cell.address for cell in LOOKED}
    for address, steps in there.items():
        assert shown[address] - {""} == steps - {""}, address
        assert ("" in shown[address]) == ("" in steps or address in looked), address


def test_no_row_stands_there_twice() -> None:
    named = [(cell.address, cell.method, cell.step) for cell in CELLS]
    assert sorted(named) == sorted(set(named))


def test_every_address_that_decides_asks_for_the_role_at_its_door() -> None:
    doors = {
        address
        for address, pattern in desk_patterns(get_resolver().url_patterns)
        if hasattr(posting(pattern.callback), "opened_by")
    }
    assert doors == {cell.address for cell in DECIDED}


@pytest.mark.parametrize("address", sorted({cell.address for cell in CELLS}))
def test_a_method_that_isnt_in_the_table_is_not_allowed(desk: Desk, browsers: dict[Role, Client], address: str) -> None:
    listed = {cell.method for cell in CELLS if cell.address == address}
    cell = next(cell for cell in CELLS if cell.address == address)
    for method in set(METHODS) - listed:
        for role in (Role.ADMINISTRATOR, Role.AUDITOR):
            with undone():
                answer = browsers[role].generic(method, filled(desk, cell))
            assert answer.status_code == 405, (method, role)


@pytest.mark.parametrize("address", sorted({cell.address for cell in DECIDED if cell.step}))
def test_a_step_that_isnt_in_the_table_doesnt_exist(desk: Desk, browsers: dict[Role, Client], address: str) -> None:
    cell = Cell(address, "POST", "no-such-step", frozenset())
    expected = {400, 403} if address == "api/v1/operator/bulk" else {404}
    for role, client in browsers.items():
        with undone():
            answer = client.post(filled(desk, cell), {"step": cell.step}, content_type=_kind(address))
        assert answer.status_code in expected, role


def _kind(address: str) -> str:
    return "application/json" if address.startswith("api/") else "application/x-www-form-urlencoded"


# --- Each cell is true --------------------------------------------------------------------------------------


@pytest.mark.parametrize("cell", LOOKED, ids=str)
def test_whoever_may_look_looks(desk: Desk, browsers: dict[Role, Client], cell: Cell) -> None:
    found = 302 if cell.address == "operator/lists" else 200  # it leads on to the newest program's
    answers = {role: look(desk, cell, client).status_code for role, client in browsers.items()}
    assert answers == {role: found if role in cell.roles else 403 for role in browsers}


@pytest.mark.parametrize("cell", DECIDED, ids=str)
def test_whoever_may_not_decide_is_refused_and_changes_nothing(
    desk: Desk, browsers: dict[Role, Client], cell: Cell
) -> None:
    refused = set(browsers) - cell.roles
    with undone():
        given = posted(desk, cell.address, cell.step, desk.people[Role.AUDITOR])
        before = snapshot()
        answers = {role: send(desk, cell, browsers[role], given).status_code for role in refused}
        assert answers == dict.fromkeys(refused, 403)
        assert changed(before) == []


@pytest.mark.parametrize("cell", DECIDED, ids=str)
def test_whoever_may_decide_decides(desk: Desk, browsers: dict[Role, Client], cell: Cell) -> None:
    for role in sorted(cell.roles):
        with undone():
            given = posted(desk, cell.address, cell.step, desk.people[role])
            before = snapshot()
            answer = send(desk, cell, browsers[role], given)
            said = [str(each) for each in get_messages(answer.wsgi_request)]
            assert answer.status_code in (200, 201, 202, 204, 302), (role, said, answer.content[:2000])
            assert changed(before) or cell.address in ONLY_SAYS, (role, said)


# --- The auditor --------------------------------------------------------------------------------------------


def test_the_auditor_looks_everywhere_and_decides_nowhere() -> None:
    assert {cell.address for cell in LOOKED if Role.AUDITOR not in cell.roles} == FORESEEN
    assert [str(cell) for cell in DECIDED if Role.AUDITOR in cell.roles] == []


def test_an_auditor_who_tries_everything_leaves_the_house_as_it_was(desk: Desk, browsers: dict[Role, Client]) -> None:
    """Every address of the house, the desk's and the partners', by every method; only what is one's own is left out."""
    auditor, before = browsers[Role.AUDITOR], snapshot()
    for address in OURS:
        # A language, notices and devices are the reader's own; nobody's data is behind them.
        if address.startswith(("account/", "i18n/", "notices/", "api/v1/notices")):
            continue
        values = {**VALUES, "application": 1, "file": 1, "token": "no-such", "invoice": 1, **desk.values}
        whereto = "/" + re.sub(r"<(\w+)>", lambda found: str(values[found[1]]), STEP.sub("hold", address))  # noqa: B023
        for method in METHODS:
            with undone():
                answer = auditor.generic(method, whereto, b"{}", "application/json")
                assert answer.status_code < 500, (method, address)
                assert changed(before) == [], (method, address)


def admin_of_auditor(desk: Desk) -> HttpRequest:
    request = RequestFactory().get("/admin/")
    request.user = desk.people[Role.AUDITOR]
    return request


@pytest.mark.parametrize("model", sorted(admin.site._registry, key=str), ids=lambda model: model._meta.label)
def test_the_back_office_lets_the_auditor_look_and_no_more(
    desk: Desk, browsers: dict[Role, Client], model: Any
) -> None:
    table, request = admin.site._registry[model], admin_of_auditor(desk)
    assert table.has_view_permission(request)
    asked = (table.has_add_permission, table.has_change_permission, table.has_delete_permission)
    assert [may(request) for may in asked] == [False] * 3
    assert table.get_actions(request) == {}
    name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
    auditor, before, row = browsers[Role.AUDITOR], snapshot(), model._default_manager.first()
    key = row.pk if row is not None else 1
    with undone():
        assert auditor.get(reverse(f"{name}_changelist")).status_code == 200
        for address in (reverse(f"{name}_add"), reverse(f"{name}_delete", args=[key])):
            assert auditor.post(address, {"post": "yes"}).status_code in (403, 404 if row is None else 403)
        changing = auditor.post(reverse(f"{name}_change", args=[key]), {"is_active": ""})
        assert changing.status_code == 403 if row is not None else changing.status_code in (302, 403)
        auditor.post(reverse(f"{name}_changelist"), {"action": "delete_selected", "_selected_action": [key]})
        assert changed(before) == []


def test_the_back_offices_own_steps_are_closed_to_the_auditor(desk: Desk, browsers: dict[Role, Client]) -> None:
    named = {"run_id": desk.values["run"], "line_id": desk.values["line"], "invoice": 1, **desk.values}
    found = []
    before = snapshot()
    for model, table in admin.site._registry.items():
        for pattern in table.get_urls():
            steps = getattr(pattern.callback, "opened_by", None)
            if steps is None:
                continue
            for step in next(iter(steps.values())) if isinstance(steps, Mapping) else ("",):
                part = re.sub(r"<\w+:(\w+)>", lambda part: str({**named, "step": step}[part[1]]), str(pattern.pattern))  # noqa: B023
                address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/{part}"
                answer = browsers[Role.AUDITOR].post(f"{address}?ids={desk.values['payout']}", {"text": "I want it."})
                assert answer.status_code == 403, address
                found.append(pattern.name)
    assert set(found) == {
        "incentives_payout_step",
        "incentives_payoutline_step",
        "incentives_run_submit",
        "incentives_invoice_step",
        "partners_application_step",
        "partners_payee_step",
    }
    assert changed(before) == []
