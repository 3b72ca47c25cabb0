"""The state folder: what one machine keeps, and what it tells the commands in other terminals."""

from __future__ import annotations

import os
import stat
import subprocess
from pathlib import Path

import pytest

from config.state import LONGEST_SOCKET_FOLDER, Services, State, private_folder


def test_the_secret_key_is_made_once_and_private(tmp_path: Path) -> None:
    state = State(tmp_path / "var")
    key = state.secret_key()
    assert len(key) >= 50
    assert State(tmp_path / "var").secret_key() == key
    assert stat.S_IMODE((state.folder / "secret_key").stat().st_mode) == 0o600
    assert [path.name for path in state.folder.iterdir()] == ["secret_key"]


def test_addresses_are_known_while_their_writer_lives(tmp_path: Path) -> None:
    state = State(tmp_path)
    assert state.services() is None
    services = Services(os.getpid(), "postgresql://x@/y?host=/run", "unix:///run/v.sock?db=0")
    state.write_services(services)
    assert state.services() == services
    state.forget_services()
    assert state.services() is None


def test_addresses_of_a_killed_process_count_for_nothing(tmp_path: Path) -> None:
    ended = subprocess.Popen(["true"])
    ended.wait()
    state = State(tmp_path)
    state.write_services(Services(ended.pid, "postgresql://x@/y", "redis://z"))
    assert state.services() is None


@pytest.mark.parametrize("content", ["", "{", "[]", '{"pid": 1}'])
def test_a_damaged_file_counts_for_nothing(tmp_path: Path, content: str) -> None:
    (tmp_path / "services.json").write_text(content)
    assert State(tmp_path).services() is None


def test_sockets_have_a_short_path_however_deep_the_state(tmp_path: Path) -> None:
    deep = tmp_path / ("d" * 120)
    assert len(str(State(deep).sockets)) <= LONGEST_SOCKET_FOLDER
    assert State(deep).sockets == State(deep).sockets
    assert State(deep).sockets != State(tmp_path / ("e" * 120)).sockets


def test_somebody_elses_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "real")
    with pytest.raises(PermissionError, match="belongs to somebody else"):
        private_folder(tmp_path / "link")
