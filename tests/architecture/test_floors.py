"""The floors hold: imports point down only. The contracts and their reasons are in pyproject.toml."""

from __future__ import annotations

import subprocess
import sys

from config.state import ROOT


def test_imports_point_down_only() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from importlinter.cli import lint_imports_command as run; run()", "--no-cache"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "0 broken" in done.stdout
