"""Every sentence for people exists in Kazakh and Russian, with the same places as in English."""

from pathlib import Path

import pytest
from babel.messages.pofile import read_po

from config import catalogues
from config.catalogues import FLOORS, TRANSLATED, collected, extract, faults, file_of, places


def test_the_catalogues_are_complete() -> None:
    assert faults() == []


def test_sentences_of_code_and_of_pages_are_collected() -> None:
    found = collected()
    assert found.get("accepted") is not None  # Text("…") in workflow/
    assert found.get("Accept an application") is not None  # _("…") in a template
    assert len(found) > 400


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for floor in FLOORS:
        (tmp_path / floor).mkdir()
    (tmp_path / "web" / "templates").mkdir()
    (tmp_path / "web" / "templates" / "page.html").write_text("<p>{{ _('Read {this}', this=1) }}</p>")
    (tmp_path / "workflow" / "said.py").write_text('SAID = Text("Done: " "{number}")\n')
    return tmp_path


def test_new_sentences_are_brought_in_and_old_ones_go(tree: Path) -> None:
    assert extract(root=tree) == {"kk": 2, "ru": 2}
    assert len(faults(root=tree)) == 4
    for language in TRANSLATED:
        file = file_of(language, root=tree)
        kept = file.read_text().replace('msgstr ""', 'msgstr "X {number} {this}"')
        header, _, rest = kept.partition("\n\n")
        file.write_text(header.replace('msgstr "X {number} {this}"', 'msgstr ""') + "\n\n" + rest)
    wrong = faults(root=tree)
    assert len(wrong) == 4
    assert all("other places" in fault for fault in wrong)
    (tree / "workflow" / "said.py").write_text("")
    assert extract(root=tree) == {"kk": 0, "ru": 0}
    with file_of("kk", root=tree).open("rb") as text:
        assert [message.id for message in read_po(text, locale="kk") if message.id] == ["Read {this}"]


def test_what_a_number_decides_needs_every_form_of_the_language(tree: Path) -> None:
    (tree / "workflow" / "said.py").write_text('SAID = Text("{n} bag", "{n} bags", "n")\n')
    (tree / "web" / "templates" / "page.html").write_text("{{ counted('{n} sack', '{n} sacks', 2) }}")
    assert extract(root=tree) == {"kk": 2, "ru": 2}
    file = file_of("ru", root=tree)
    empty = file.read_text()
    full = empty
    for place in range(3):
        full = full.replace(f'msgstr[{place}] ""', f'msgstr[{place}] "{{n}} {place}"')
    for text, wanted in (
        (full, []),
        (full.replace("{n} 2", ""), ["not translated: '{n} bag'", "not translated: '{n} sack'"]),
        (full.replace("{n} 1", "1", 1), ["other places than in English: '{n} bag'"]),
        (empty, ["not translated: '{n} bag'", "not translated: '{n} sack'"]),
    ):
        file.write_text(text)
        found = [fault.removeprefix("ru: ") for fault in faults(root=tree) if fault.startswith("ru")]
        assert sorted(found) == wanted


def test_extracting_twice_changes_nothing(tree: Path) -> None:
    extract(root=tree)
    before = {language: file_of(language, root=tree).read_bytes() for language in TRANSLATED}
    extract(root=tree)
    assert {language: file_of(language, root=tree).read_bytes() for language in TRANSLATED} == before


def test_places_are_compared_by_name() -> None:
    assert places("{a} of {b!r:>3}") == {"a", "b"}
    assert places("none {{at all}}") == set()


def test_the_command_says_what_it_can_do(capsys: pytest.CaptureFixture[str]) -> None:
    assert catalogues.main(["nonsense"]) == 2
    assert "extract|check" in capsys.readouterr().err
