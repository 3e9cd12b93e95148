"""The page about a packet's life says what the table of moves says: every state, every move, every arrow."""

import re
from pathlib import Path

import pytest

from models.packet import FINAL, State
from workflow.moves import HOLDERS, MOVES, Move

PAGE = (Path(__file__).parents[3] / "docs" / "packets-life.md").read_text(encoding="utf-8")
STATE_NAMES = "|".join(State)
ROW = re.compile(rf"^\| `(\w+)` \| (?:`({STATE_NAMES})`|–) \| `({STATE_NAMES})` \|", re.MULTILINE)
ARROW = re.compile(r"^    (\[\*\]|\w+) --> (\w+): ([\w, ]+)$", re.MULTILINE)
STATE_ROW = re.compile(rf"^\| `({STATE_NAMES})` \| [^|`]+ \| ([^|]+) \|$", re.MULTILINE)


def test_the_table_of_the_page_is_the_table_of_moves() -> None:
    written: dict[Move, set[tuple[State | None, State]]] = {}
    rows = ROW.findall(PAGE)
    for move, before, after in rows:
        written.setdefault(Move(move), set()).add((State(before) if before else None, State(after)))
    assert written == {move: set(pairs) for move, pairs in MOVES.items()}
    assert len(rows) == sum(len(pairs) for pairs in MOVES.values())


def test_the_picture_shows_every_move_but_undo() -> None:
    drawn = {
        (None if before == "[*]" else State(before), State(after), Move(move))
        for before, after, moves in ARROW.findall(PAGE)
        for move in moves.split(", ")
    }
    assert drawn == {
        (before, after, move)
        for move, pairs in MOVES.items()
        if move is not Move.UNDO
        for before, after in pairs
    }
    assert {State(name) for name in re.findall(r"^    (\w+) --> \[\*\]$", PAGE, re.MULTILINE)} == FINAL


@pytest.mark.parametrize("state", State)
def test_the_page_says_who_holds_each_state(state: State) -> None:
    holders = dict(STATE_ROW.findall(PAGE))[state.value]
    assert ("nobody" in holders) == (state in FINAL)
    for role in HOLDERS.get(state, ()):
        assert role.value in holders
