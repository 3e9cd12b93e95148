"""Signs of life: a file that is touched, not too often, and never a reason to end."""

import os
from pathlib import Path

from config.alive import SignOfLife, silent_seconds


def test_a_sign_is_given_and_grows_old(tmp_path: Path) -> None:
    assert silent_seconds(tmp_path, "relay") is None
    sign = SignOfLife(tmp_path, "relay")
    sign.give()
    silent = silent_seconds(tmp_path, "relay")
    assert silent is not None
    assert silent < 5
    file = tmp_path / "run" / "relay.alive"
    assert file.stat().st_mode & 0o077 == 0
    os.utime(file, (0, 0))
    # Right after the last one none is written.
    sign.give()
    assert file.stat().st_mtime == 0
    SignOfLife(tmp_path, "relay").give()
    assert file.stat().st_mtime > 0
    assert silent_seconds(tmp_path, "worker") is None


def test_a_folder_that_cannot_be_written_ends_nothing(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("no folder")
    SignOfLife(tmp_path, "relay").give()
