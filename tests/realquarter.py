"""Where a real quarter's feeds lie, for the tests that need them; without them those tests are skipped, visibly."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from config.state import ROOT

FOLDER = Path(os.environ.get("DINGYAO_REALQUARTER") or ROOT.parent / "shared" / "realquarter")
needed = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"there is no {FOLDER.name} folder beside the project")
