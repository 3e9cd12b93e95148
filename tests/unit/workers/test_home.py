import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from workers.home import HomeTakenError, home_at


def test_folders_are_made_for_their_owner_alone(tmp_path: Path) -> None:
    home = home_at(tmp_path / "deep" / "home")
    home.make()
    home.make()
    for folder in (home.folder, home.run, home.logs):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700


def test_a_relative_home_does_not_move_with_the_process(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    home = home_at(Path("var"))
    monkeypatch.chdir("/")
    assert home.folder == tmp_path / "var"


def test_one_process_has_the_home_and_the_next_one_after_it(tmp_path: Path) -> None:
    home = home_at(tmp_path)
    home.make()
    with home.lock():
        with pytest.raises(HomeTakenError) as refused:
            home.lock()
        assert refused.value.facts == {"home": tmp_path, "pid": str(os.getpid())}
    home.lock().close()


def test_children_of_a_killed_holder_are_waited_for(tmp_path: Path) -> None:
    home = home_at(tmp_path)
    home.make()
    with home.lock() as held:
        # Inherits the lock, as the children of `up` do, and outlives the process that is named in the file.
        orphan = subprocess.Popen(
            [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, pass_fds=[held.fileno()]
        )
        gone = subprocess.Popen([sys.executable, "-c", ""])
        gone.wait()
        held.seek(0)
        held.truncate()
        held.write(str(gone.pid))
    with orphan:
        with pytest.raises(HomeTakenError):
            home.lock(patience=0.2)
        assert orphan.stdin is not None
        orphan.stdin.close()
        home.lock(patience=10).close()
