"""Unit files as systemd reads them, as far as the tests need it: what is started, and with which environment."""

import shlex
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from tests.functional.installation import ROOT

FOLDER = ROOT / "deploy" / "systemd"


@dataclass(frozen=True, kw_only=True)
class Place:
    """Where a test has what a machine has in /opt, /etc and /var."""

    programs: Path
    settings: Path
    state: Path

    def here(self, text: str) -> str:
        """Return `text` of a unit with the places of a machine replaced by those of the test."""
        return (
            text.replace("/opt/shabarman/bin", str(self.programs))
            .replace("/etc/shabarman", str(self.settings))
            .replace("/var/lib/shabarman", str(self.state))
        )


def read(name: str) -> dict[str, list[str]]:
    """Return the settings of a unit by name, each with its values in order; sections do not matter here."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    for line in (FOLDER / name).read_text(encoding="utf-8").splitlines():
        key, sign, value = line.partition("=")
        if sign and not line.startswith("#"):
            found[key].append(value)
    return found


def started(name: str, place: Place, *, instance: str = "") -> tuple[list[str], dict[str, str]]:
    """Return the command that a unit starts, and the environment that it starts it with."""
    unit = read(name)
    environment = {"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8"}
    for line in unit["Environment"]:
        environment |= _variables(shlex.split(place.here(line)))
    for file in unit["EnvironmentFile"]:
        path = Path(place.here(file.lstrip("-").replace("%i", instance)))
        if path.exists() or not file.startswith("-"):
            environment |= _variables(path.read_text(encoding="utf-8").splitlines())
    (line,) = unit["ExecStart"]
    command = []
    for word in shlex.split(place.here(line.replace("%i", instance))):
        # As systemd does: a variable that is a word of its own becomes as many words as it has.
        command += shlex.split(environment.get(word[1:], "")) if word.startswith("$") else [word]
    return command, environment


def _variables(lines: list[str]) -> dict[str, str]:
    pairs = (line.partition("=") for line in lines if "=" in line and not line.lstrip().startswith("#"))
    return {name: value for name, _, value in pairs}
