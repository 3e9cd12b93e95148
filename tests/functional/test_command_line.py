"""`shabarman` as a person at a terminal has it: output, exit codes, and what it says when something is wrong."""

import json
import os
import shutil
import sqlite3
import sys
import tomllib
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path

import pytest
import zxingcpp
from PIL import Image

from barcodes.numbers import packet_number
from config.offices import centre_of, department_of
from models import Archive
from models.database import Database
from tests.functional.installation import ROOT, Installation, free_port, plain

NUMBER = packet_number(centre_of("aksu").code, 2026, 1)

HEAVY = {
    "sqlalchemy",
    "celery",
    "kombu",
    "fastapi",
    "pydantic",
    "structlog",
    "redis",
    "argon2",
    "babel",
    "rich",
}

COMMANDS = (
    "up",
    "web",
    "relay",
    "worker",
    "beat",
    "flower",
    "migrate",
    "offices",
    "services",
    "number",
    "label",
    "simulate",
    "verify",
    "messages",
    "doctor",
    "calendar",
    "staff",
    "token",
    "archive",
    "alive",
)


@pytest.fixture(scope="module")
def migrated_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = Installation(tmp_path_factory.mktemp("migrated") / "home")
    assert made.run("migrate").returncode == 0
    return made.home


@pytest.fixture
def migrated(installation: Installation, migrated_home: Path) -> Installation:
    shutil.copytree(migrated_home, installation.home)
    return installation


def add_inspector(installation: Installation, login: str = "inspector.one") -> None:
    added = installation.run(
        *("staff", "add", login, "--name", "ХҚКО инспекторы", "--office", centre_of("aksu").code),
        *("--role", "inspector", "--role", "accumulator", "--password-stdin"),
        input="a long enough password\n",
    )
    assert added.returncode == 0, added.stderr


def test_the_version_is_that_of_the_package(installation: Installation) -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        named = tomllib.load(file)["project"]["version"]
    asked = installation.run("--version")
    assert (asked.returncode, asked.stdout.strip()) == (0, named)


def test_help_names_every_command_and_loads_nothing_heavy(installation: Installation) -> None:
    shown = installation.run("--help")
    assert shown.returncode == 0
    assert all(f" {command} " in plain(shown.stdout) for command in COMMANDS)
    loaded = installation.python(
        "import sys, contextlib, io\n"
        "sys.argv = ['shabarman', '--help']\n"
        "from workers.cli import main\n"
        "with contextlib.suppress(SystemExit), contextlib.redirect_stdout(io.StringIO()): main()\n"
        f"print(sorted({HEAVY} & set(sys.modules)))"
    )
    assert loaded.stdout.strip() == "[]", loaded.stderr


def test_offices_and_services_are_json_and_nothing_else(installation: Installation) -> None:
    offices = json.loads(installation.run("offices", "--json").stdout)
    assert sorted(kind for kind in {office["kind"] for office in offices}) == [
        "akimat",
        "centre",
        "department",
    ]
    assert len(offices) == 19 + 19 + 254
    services = json.loads(installation.run("services", "--json").stdout)
    assert [service["number"] for service in services] == [1, 2, 3, 4, 5, 6, 7]
    for command in ("offices", "services"):
        lines = installation.run(command).stdout.splitlines()
        assert len(lines) == 1 + (len(offices) if command == "offices" else 7)


@pytest.mark.parametrize(
    "typed", [NUMBER, f" {NUMBER[:4]} {NUMBER[4:6]}-{NUMBER[6:12]} {NUMBER[12:]} ", f"]C1{NUMBER}"]
)
def test_a_number_is_brought_to_its_canonical_form(installation: Installation, typed: str) -> None:
    checked = installation.run("number", "check", typed)
    assert (checked.returncode, checked.stdout, checked.stderr) == (0, f"{NUMBER}\n", "")


@pytest.mark.parametrize(
    ("typed", "reason"),
    [
        (NUMBER[:-1] + str((int(NUMBER[-1]) + 1) % 10), "check digits"),
        ("hello", "14 digits"),
        ("", "Nothing was read"),
    ],
)
def test_what_is_no_number_is_told_why(installation: Installation, typed: str, reason: str) -> None:
    checked = installation.run("number", "check", typed)
    assert (checked.returncode, checked.stdout) == (1, "")
    assert reason in checked.stderr
    assert len(checked.stderr.splitlines()) == 1


def test_a_label_can_be_read_back(installation: Installation, tmp_path: Path) -> None:
    file = tmp_path / "label.png"
    drawn = installation.run("label", NUMBER, "--format", "png", "--out", str(file))
    assert (drawn.returncode, drawn.stdout, drawn.stderr) == (0, "", "")
    with Image.open(file) as picture:
        read = {code.text for code in zxingcpp.read_barcodes(picture)}
    assert NUMBER in read
    assert not (installation.home / "shabarman.db").exists(), "drawing a label made a database"


def test_a_label_that_cannot_be_drawn_or_written_says_so(installation: Installation, tmp_path: Path) -> None:
    for arguments, said in (
        ((NUMBER, "--out", str(tmp_path / "none" / "x.svg")), "cannot be used"),
        ((NUMBER, "--out", str(tmp_path / "x.svg"), "--dpi", "100"), "203"),
        (("1", "--out", str(tmp_path / "x.svg")), "14 digits"),
    ):
        refused = installation.run("label", *arguments)
        assert refused.returncode in {1, 2}
        assert said in refused.stderr
        assert "Traceback" not in refused.stderr


@pytest.mark.parametrize(
    "command", [("web",), ("relay",), ("worker",), ("messages",), ("staff", "list"), ("token", "somebody")]
)
def test_without_tables_the_answer_is_migrate(installation: Installation, command: tuple[str, ...]) -> None:
    refused = installation.run(*command)
    assert refused.returncode == 2
    assert "shabarman migrate" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.parametrize("command", ["relay", "worker", "beat"])
def test_without_a_broker_the_processes_say_where_they_looked(migrated: Installation, command: str) -> None:
    migrated.environment["SHABARMAN_BROKER_URL"] = f"redis://127.0.0.1:{free_port()}/0"
    refused = migrated.run(command)
    assert refused.returncode == 3
    assert "SHABARMAN_BROKER_URL" in refused.stderr
    assert "Traceback" not in refused.stderr


def test_without_any_broker_up_is_recommended(migrated: Installation) -> None:
    refused = migrated.run("worker")
    assert refused.returncode == 3
    assert "shabarman up" in refused.stderr


def test_a_misspelt_queue_is_answered_with_near_ones(migrated: Installation) -> None:
    refused = migrated.run("worker", "--office", "departament.aksu")
    assert refused.returncode == 1
    assert "department.aksu" in refused.stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("SHABARMAN_PORT", "many"),
        ("SHABARMAN_RUN_TIMES", "noon"),
        ("SHABARMAN_DATABASE_URL", "nonsense"),
        ("SHABARMAN_BROKER_URL", "kafka://127.0.0.1"),
        ("SHABARMAN_FLOWER_AUTH", "somebody"),
    ],
)
def test_a_bad_setting_is_named(migrated: Installation, variable: str, value: str) -> None:
    migrated.environment[variable] = value
    command = {"SHABARMAN_BROKER_URL": "relay", "SHABARMAN_FLOWER_AUTH": "flower"}.get(variable, "web")
    refused = migrated.run(command)
    assert refused.returncode == 2, refused.stderr
    assert variable in refused.stderr
    assert len(refused.stderr.splitlines()) == 1, refused.stderr


def test_a_home_that_cannot_be_made_is_named(installation: Installation, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    installation.environment["SHABARMAN_HOME"] = str(tmp_path / "file" / "home")
    for command in ("up", "migrate"):
        refused = installation.run(command)
        assert refused.returncode == 2
        assert str(tmp_path / "file") in refused.stderr
        assert len(refused.stderr.splitlines()) == 1


def test_sentences_come_in_the_language_of_the_person(installation: Installation) -> None:
    installation.environment["SHABARMAN_LANGUAGE"] = "ru"
    russian = installation.run("number", "check", "123").stderr
    installation.environment["SHABARMAN_LANGUAGE"] = "en"
    english = installation.run("number", "check", "123").stderr
    assert russian != english
    assert any("а" <= character <= "я" for character in russian)


def test_people_are_entered_listed_and_given_tokens(migrated: Installation) -> None:
    add_inspector(migrated)
    [person] = json.loads(migrated.run("staff", "list", "--json").stdout)
    assert person["roles"] == ["inspector", "accumulator"]
    tokens = {migrated.run("token", "inspector.one").stdout.strip() for _ in range(2)}
    assert len(tokens) == 2
    assert all(len(token) >= 43 for token in tokens)
    with sqlite3.connect(migrated.home / "shabarman.db") as database:
        kept = str(database.execute("SELECT * FROM tokens, staff").fetchall())
    database.close()
    assert not any(token in kept for token in tokens)
    assert "a long enough password" not in kept


def test_a_password_is_given_anew_and_a_person_is_switched_off(migrated: Installation) -> None:
    add_inspector(migrated)
    given = migrated.run("staff", "password", "Inspector.One")
    assert given.returncode == 0, given.stderr
    again = json.loads(migrated.run("staff", "password", "inspector.one", "--json").stdout)
    assert again["login"] == "inspector.one"
    assert len(again["password"]) == len(given.stdout.strip()) == 19
    assert again["password"] != given.stdout.strip()

    done = migrated.run("staff", "off", "inspector.one", "--json")
    assert (done.returncode, json.loads(done.stdout)) == (0, {"login": "inspector.one", "active": False})
    (listed,) = json.loads(migrated.run("staff", "list", "--json").stdout)
    assert listed["active"] is False
    assert migrated.run("token", "inspector.one").returncode == 1
    for command in ("password", "off"):
        unknown = migrated.run("staff", command, "nobody")
        assert unknown.returncode == 1
        assert "nobody" in unknown.stderr


def test_a_person_who_cannot_be_entered_is_told_why(migrated: Installation) -> None:
    refused = migrated.run(
        *("staff", "add", "one", "--name", "тіркеуші", "--office", department_of("aksu").code),
        *("--role", "registrar", "--password-stdin"),
        input="short\n",
    )
    assert refused.returncode == 1
    assert "at least 10" in refused.stderr


def test_messages_are_listed_and_need_a_choice(migrated: Installation) -> None:
    shown = json.loads(migrated.run("messages", "--dead", "--json").stdout)
    assert shown["messages"] == []
    assert shown["counts"]["dead"] == 0
    assert "--all" in migrated.run("messages", "replay", "--note", "try").stderr
    assert "7" in migrated.run("messages", "discard", "7", "--note", "try").stderr
    assert migrated.run("messages", "replay", "--all", "--note", "try").returncode == 0
    refused = migrated.run("messages", "replay", "--all", "--by", "no.such.login", "--note", "try")
    assert refused.returncode == 1
    assert "no.such.login" in refused.stderr


def test_archives_are_made_shown_and_checked(migrated: Installation) -> None:
    made = migrated.run("archive", "--json")
    assert (made.returncode, json.loads(made.stdout)) == (0, [])
    checked = migrated.run("archive", "check", "--json")
    assert (checked.returncode, json.loads(checked.stdout)) == (0, [])
    unknown = migrated.run("archive", "show", NUMBER)
    assert unknown.returncode == 1
    assert NUMBER in unknown.stderr


def test_an_archive_whose_file_is_lost_is_told_of_until_it_is_given_up(migrated: Installation) -> None:
    now, name = datetime.now(tz=UTC), "2024-03.jsonl.gz"
    database = Database(f"sqlite:///{migrated.home / 'shabarman.db'}")
    with database.transaction() as session:
        session.add(
            Archive(
                month="2024-03",
                part=1,
                file=name,
                sha256="0" * 64,
                version="1",
                made_by="operator",
                started_at=now,
                sealed_at=now,
            )
        )
    database.close()
    held = migrated.run("archive", "--json")
    assert (held.returncode, json.loads(held.stdout)) == (1, [])
    assert f"shabarman archive again {name}" in held.stderr
    assert migrated.run("archive", "again", name).returncode == 0
    assert migrated.run("archive", "check").returncode == 0
    assert migrated.run("archive").returncode == 0
    unknown = migrated.run("archive", "again", name)
    assert unknown.returncode == 1
    assert name in unknown.stderr


def test_the_entry_point_is_ours() -> None:
    assert Path(sys.modules["config"].__file__ or "").parents[1] == Path(__file__).parents[2]


def test_verify_passes_its_options_on_and_finds_nothing_broken_in_a_new_house(migrated: Installation) -> None:
    assert json.loads(migrated.run("verify", "--json").stdout)["ok"] is True
    assert "--packets" in plain(migrated.run("simulate", "--help").stdout)
    assert migrated.run("verify", "--nonsense").returncode == 2


def test_a_reader_that_has_seen_enough_is_no_fault(installation: Installation) -> None:
    reading, writing = os.pipe()
    with installation.start("offices", "--json", stdout=writing) as process:
        os.close(writing)
        assert os.read(reading, 1) == b"["
        os.close(reading)
        assert process.wait(60) == 0
    assert installation.said() == ""


@pytest.mark.parametrize("process", ["web", "relay", "worker", "up"])
def test_nothing_starts_on_a_wrong_service(migrated: Installation, tmp_path: Path, process: str) -> None:
    own = tmp_path / "own" / "services"
    own.mkdir(parents=True)
    packaged = files("config.regulation").joinpath("services", "4-employment.toml").read_text("utf-8")
    before, _, _ = packaged.partition('who = "head"')
    wrong = packaged.replace('who = "head"', 'who = "boss"', 1)
    (own / "4-employment.toml").write_text(wrong, encoding="utf-8")
    migrated.environment["SHABARMAN_REGULATION"] = str(own.parent)
    started = migrated.run(process)
    assert started.returncode != 0
    said = plain(started.stdout + started.stderr)
    assert f"services/4-employment.toml, line {before.count(chr(10)) + 1}, the file, routes" in said
    assert '"boss" is no who; use one of inspector, accumulator' in said
