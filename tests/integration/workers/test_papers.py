"""`shabarman papers`: from the command line to a file, and into the log."""

from pathlib import Path

import pytest
from sqlalchemy import select
from typer.testing import CliRunner

from barcodes.numbers import grouped
from config.errors import NotFoundError
from config.settings import settings
from models import Print
from models.database import Database
from models.printed import Paper
from tests.integration.workflow.crew import Crew
from tests.unit.barcodes.papers.reading import words
from workers.cli import app
from workers.commands.papers import PaperName


@pytest.fixture
def crew(database: Database, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Crew:
    monkeypatch.setenv("SHABARMAN_DATABASE_URL", database_url)
    settings.cache_clear()
    return Crew.of(database)


def run(*arguments: str) -> None:
    done = CliRunner().invoke(app, ["papers", *arguments])
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    assert done.exit_code == 0, done.output


def test_papers_are_printed_into_files_and_logged(crew: Crew, tmp_path: Path) -> None:
    number, file = crew.accept(), tmp_path / "paper.pdf"
    common = ("--by", "inspector.aksu", "--out", str(file))
    run("print", "receipt", grouped(number), *common)
    assert grouped(number) in words(file.read_bytes())
    run("labels", number, "--sheet", "40", "--skip", "1", *common)
    assert grouped(number) in words(file.read_bytes())
    run("print", "label", number, "--format", "zpl", "--dpi", "300", *common)
    assert b"^PW685" in file.read_bytes()
    bag = crew.send(number)
    run("print", "manifest", bag, *common)
    assert "2-дана" in words(file.read_bytes())
    with crew.database.reading() as session:
        rows = session.scalars(select(Print).order_by(Print.id)).all()
        assert [(row.paper, row.copy) for row in rows] == [
            (Paper.RECEIPT, 1),
            (Paper.LABEL, 1),
            (Paper.LABEL, 2),
            (Paper.MANIFEST, 1),
        ]


def test_a_print_that_cannot_be_written_is_not_logged(crew: Crew, tmp_path: Path) -> None:
    number = crew.accept()
    with pytest.raises(OSError, match="No such file"):
        run("print", "receipt", number, "--by", "inspector.aksu", "--out", str(tmp_path / "no" / "paper.pdf"))
    with pytest.raises(NotFoundError):
        run("print", "receipt", number, "--by", "nobody", "--out", str(tmp_path / "paper.pdf"))
    with crew.database.reading() as session:
        assert session.scalars(select(Print)).all() == []


def test_card_and_addresses_need_no_database(tmp_path: Path) -> None:
    file = tmp_path / "paper.pdf"
    run("card", "--out", str(file))
    assert "98 000003" in words(file.read_bytes())
    run("addresses", "--kind", "centre", "--skip", "2", "--out", str(file))
    assert "халыққа қызмет көрсету орталығы" in words(file.read_bytes())


def test_the_command_line_knows_every_paper() -> None:
    assert {name.value for name in PaperName} == {paper.value for paper in Paper}
