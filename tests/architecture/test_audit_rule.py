"""One write, one transaction, one audit row: every service leaves a row in the trail, and nothing after it.

Read from the source, so that a service that nobody tests is held to it too.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FLOORS = ("core", "partners", "merchants", "incentives", "governance")

RECORDERS = ("audit.record", "audit.record_all")

Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST) -> dict[str, Function]:
    """Every function of a module by name, methods included."""
    return {node.name: node for node in ast.walk(tree) if isinstance(node, Function)}


def calls(function: ast.AST) -> set[str]:
    """The names that a function calls: `audit.record` (`audit.record_all`) whole, all others by their last part."""
    found = set()
    for node in ast.walk(function):
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            found.add("audit.record" if name in RECORDERS else name.rpartition(".")[2])
    return found


def is_service(function: Function) -> bool:
    """Public, and somebody acts."""
    names = {argument.arg for argument in [*function.args.args, *function.args.kwonlyargs]}
    return not function.name.startswith("_") and "actor" in names


def reaches_the_trail(name: str, known: dict[str, Function], seen: frozenset[str] = frozenset()) -> bool:
    """Whether the function records, itself or through a function of its own app."""
    if name in seen or name not in known:
        return False
    called = calls(known[name])
    return "audit.record" in called or any(reaches_the_trail(other, known, seen | {name}) for other in called)


def app_functions(app: str) -> dict[str, Function]:
    """Every function of an app's own code."""
    found: dict[str, Function] = {}
    for path in sorted((ROOT / app).rglob("*.py")):
        if "migrations" not in path.parts:
            found |= functions(ast.parse(path.read_text()))
    return found


def services() -> Iterator[tuple[str, str]]:
    """Every service: of an app's `services.py`, or offered by its `services` package."""
    for app in FLOORS:
        module, package = ROOT / app / "services.py", ROOT / app / "services" / "__init__.py"
        if module.exists():
            for name, function in functions(ast.parse(module.read_text())).items():
                if is_service(function):
                    yield app, name
        if package.exists():
            offered = {
                alias.name
                for node in ast.walk(ast.parse(package.read_text()))
                if isinstance(node, ast.ImportFrom)
                for alias in node.names
            }
            for path in package.parent.glob("*.py"):
                for name, function in functions(ast.parse(path.read_text())).items():
                    if name in offered and is_service(function):
                        yield app, name


def after_the_record(function: Function) -> list[str]:
    """The statements that follow the audit row in its own block, where they are more than a return or a wake-up."""
    late = []
    for node in ast.walk(function):
        for block in (getattr(node, "body", None), getattr(node, "orelse", None)):
            if not isinstance(block, list):
                continue
            for number, statement in enumerate(block):
                if isinstance(statement, ast.Expr) and "audit.record" in calls(statement):
                    late += [ast.unparse(later) for later in block[number + 1 :] if not harmless(later)]
    return late


def harmless(statement: ast.stmt) -> bool:
    """A return, or something that happens after the commit."""
    return isinstance(statement, ast.Return) or "on_commit" in ast.unparse(statement)


SERVICES = sorted(set(services()))


def test_the_services_are_found() -> None:
    assert {("incentives", "approve_payout"), ("core", "publish_policy"), ("merchants", "load_feed")} <= set(SERVICES)
    assert len(SERVICES) >= 18


@pytest.mark.parametrize(("app", "name"), SERVICES)
def test_a_service_leaves_an_audit_row(app: str, name: str) -> None:
    assert reaches_the_trail(name, app_functions(app)), f"{app}: {name} changes something and records nothing"


@pytest.mark.parametrize("app", FLOORS)
def test_the_audit_row_comes_last(app: str) -> None:
    late = {name: rest for name, function in app_functions(app).items() if (rest := after_the_record(function))}
    assert not late


def test_a_service_that_records_nothing_would_be_found() -> None:
    silent = functions(
        ast.parse("def take(*, actor, thing):\n    thing.save()\n    helper()\ndef helper():\n    pass\n")
    )
    assert is_service(silent["take"])
    assert not reaches_the_trail("take", silent)
    early = functions(ast.parse("def take(*, actor):\n    audit.record(actor=actor)\n    thing.save()\n"))
    assert after_the_record(early["take"]) == ["thing.save()"]
