"""`verify_statement` and `statement_keys`, as a shell runs them: also in a house without database and broker."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.test import Client

from config.state import ROOT
from core.errors import DomainError
from incentives.keys import signing_key
from incentives.services import submit_run
from incentives.signatures import SigningKey, key_set, read_keys, sign, verify
from tests.incentives.factories import AFTER_CLOSE, make_world
from tests.incentives.test_signatures import KEY, SIGNED, STATEMENT
from tests.shell import Shell


def test_the_command_tells_valid_changed_foreign_and_no_statement_apart(shell: Shell, tmp_path: Path) -> None:
    path, keys = tmp_path / "statement.json", tmp_path / "keys.json"
    path.write_bytes(sign(STATEMENT, signing_key()))
    valid = shell("verify_statement", path)
    assert valid.status == 0
    assert valid.out.strip() == (
        "valid: PROVISIONAL statement of HARBOUR in POP-2026Q1, in_review, payable 3600.00 CNY, "
        f"issued 2026-07-01T04:00:00Z; signed by {signing_key().public.id}"
    )

    path.write_bytes(path.read_bytes().replace(b"3600.00", b"3900.00"))
    altered = shell("verify_statement", path)
    assert (altered.status, altered.out) == (1, "")
    assert "NOT VALID" in altered.err

    path.write_bytes(SIGNED)
    foreign = shell("verify_statement", path)
    assert foreign.status == 1
    assert KEY.public.id in foreign.err
    keys.write_text(json.dumps(key_set([KEY.public])))
    assert shell("verify_statement", path, "--key", keys).status == 0

    path.write_bytes(b"shop_code,amount\n")
    for arguments in ([path], [tmp_path / "absent"], [tmp_path], [path, "--key", path]):
        refused = shell("verify_statement", *arguments)
        assert refused.status == 2, arguments
        assert len(refused.err.splitlines()) == 1
    assert "is not a statement" in shell("verify_statement", path).err


def test_the_command_prints_what_is_published_and_makes_new_keys(shell: Shell, settings: Any) -> None:
    earlier = SigningKey.make()
    settings.STATEMENT_EARLIER_KEYS = (earlier.public.text,)
    assert read_keys(shell("statement_keys").out.encode()) == [signing_key().public, earlier.public]

    fresh = shell("statement_keys", "--new")
    name, _, text = fresh.out.strip().partition("=")
    assert name == "STATEMENT_SIGNING_KEY"
    assert SigningKey.from_text(text).public.text in fresh.err
    assert shell("statement_keys", "--new").out != fresh.out


def test_everybody_may_read_the_published_keys(client: Client) -> None:
    page = client.get("/.well-known/dingyao-statement-keys.json")
    assert read_keys(page.content) == [signing_key().public]
    assert signing_key().text not in page.content.decode()


def house(folder: Path, *arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    """A command of a house that has neither database nor broker, in a process of its own."""
    environment = {name: text for name, text in os.environ.items() if name not in ("DATABASE_URL", "REDIS_URL")}
    environment |= {"DJANGO_SETTINGS_MODULE": "config.settings.local", "DINGYAO_STATE": str(folder), **variables}
    return subprocess.run(
        [sys.executable, ROOT / "manage.py", *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.services
def test_verifying_needs_no_database_and_keys_can_be_changed(tmp_path: Path) -> None:
    first, second = SigningKey.make(), SigningKey.make()
    path = tmp_path / "statement.json"
    path.write_bytes(sign(STATEMENT, first))
    assert house(tmp_path, "verify_statement", path, STATEMENT_SIGNING_KEY=first.text).returncode == 0

    rotated = house(
        tmp_path,
        "verify_statement",
        path,
        STATEMENT_SIGNING_KEY=second.text,
        STATEMENT_EARLIER_KEYS=first.public.text,
    )
    assert (rotated.returncode, rotated.stderr) == (0, "")
    path.write_bytes(path.read_bytes().replace(b"3600.00", b"3600.01"))
    altered = house(tmp_path, "verify_statement", path, STATEMENT_SIGNING_KEY=first.text)
    assert (altered.returncode, altered.stdout) == (1, "")
    assert "NOT VALID" in altered.stderr


@pytest.mark.services
def test_the_documented_few_lines_verify_too(tmp_path: Path) -> None:
    script, path, keys = (tmp_path / name for name in ("verify.py", "statement.json", "keys.json"))
    found = re.search(r"```python\n(.*?)```", (ROOT / "docs" / "feeds.md").read_text(encoding="utf-8"), re.DOTALL)
    assert found
    script.write_text(found[1], encoding="utf-8")
    keys.write_text(json.dumps(key_set([SigningKey.make().public, KEY.public])))

    def check(text: bytes) -> subprocess.CompletedProcess[str]:
        path.write_bytes(text)
        return subprocess.run([sys.executable, script, path, keys], capture_output=True, text=True, check=False)

    assert check(SIGNED).stdout == "valid\n"
    assert "InvalidSignature" in check(SIGNED.replace(b"3600.00", b"3600.01")).stderr


@pytest.mark.services
@pytest.mark.parametrize("variable", ["STATEMENT_SIGNING_KEY", "STATEMENT_EARLIER_KEYS"])
def test_a_key_that_is_none_stops_the_start_with_a_line(tmp_path: Path, variable: str) -> None:
    ended = house(tmp_path, "statement_keys", **{variable: "too-short"})
    assert ended.returncode == 1
    assert ended.stderr.startswith(f"{variable}: ")
    assert len(ended.stderr.splitlines()) == 1


@pytest.mark.services
@pytest.mark.django_db
def test_what_the_portal_hands_out_verifies_elsewhere_and_with_one_digit_changed_does_not(tmp_path: Path) -> None:
    world = make_world()
    submit_run(actor=world.actor("olga"), run=world.run, at=AFTER_CLOSE)
    alice = Client()
    alice.force_login(world.alice)
    path, keys = tmp_path / "statement.json", tmp_path / "keys.json"
    signed = alice.get("/partner/POP-2026Q1/payout.json").content
    keys.write_bytes(alice.get("/.well-known/dingyao-statement-keys.json").content)

    # Another machine: no database, no broker, and a house with a key of its own.
    path.write_bytes(signed)
    valid = house(tmp_path, "verify_statement", path, "--key", keys)
    assert (valid.returncode, valid.stderr) == (0, "")
    assert "PROVISIONAL statement of haiqiao in POP-2026Q1, in_review, payable 4000.00 CNY" in valid.stdout
    path.write_bytes(signed.replace(b"4000.00", b"4000.01"))
    altered = house(tmp_path, "verify_statement", path, "--key", keys)
    assert (altered.returncode, altered.stdout) == (1, "")
    assert "NOT VALID" in altered.stderr

    # Whichever digit it is.
    published = read_keys(keys.read_bytes())
    verify(signed, published)
    digits = [place for place, byte in enumerate(signed) if chr(byte).isdigit()]
    assert len(digits) > 100
    for place in digits:
        other = str((int(chr(signed[place])) + 1) % 10).encode()
        with pytest.raises(DomainError):
            verify(signed[:place] + other + signed[place + 1 :], published)
