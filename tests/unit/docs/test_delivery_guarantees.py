"""The document of the promises: each test that it names is there, and each promise names one."""

import ast
import re
from pathlib import Path

from workers.chaos.kinds import all_kinds

ROOT = Path(__file__).parents[3]
DOCUMENT = (ROOT / "docs" / "delivery-guarantees.md").read_text(encoding="utf-8")

NAMED = re.findall(r"`((?:unit|integration|functional)/[\w/]+\.py)(?:::(\w+))?`", DOCUMENT)


def functions(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_bytes())) if isinstance(node, ast.FunctionDef)}


def test_every_test_that_is_named_is_there() -> None:
    assert len(NAMED) > 50
    for place, name in NAMED:
        path = ROOT / "tests" / place
        assert path.is_file(), place
        assert not name or name in functions(path), f"{place}::{name}"


def test_every_promise_names_its_tests() -> None:
    promises = DOCUMENT.split("## The promises")[1].split("\n## ")[0]
    paragraphs = re.split(r"\n\n(?=\*\*)", promises)[1:]
    assert len(paragraphs) >= 11
    for paragraph in paragraphs:
        assert re.search(r"^- `\w+/", paragraph, re.MULTILINE), paragraph[:80]


def test_every_fault_and_refusal_names_its_test() -> None:
    for heading in ("What refuses to start", "What breaks, each with a small test"):
        table = DOCUMENT.split(f"## {heading}")[1].split("\n## ")[0]
        rows = [line for line in table.splitlines() if line.startswith("| ")][2:]
        assert len(rows) >= 6
        for row in rows:
            assert "::test_" in row, row


def test_every_kind_of_fault_of_the_trial_has_its_row() -> None:
    table = DOCUMENT.split("## What breaks")[1].split("\n## ")[0]
    rows = [line.split("|")[1] for line in table.splitlines() if line.startswith("| `")]
    named = [kind for row in rows for kind in re.findall(r"`(\w+)`", row)]
    assert sorted(named) == sorted(kind.name for kind in all_kinds())
