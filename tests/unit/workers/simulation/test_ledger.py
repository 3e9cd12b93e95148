"""The ledger of what was meant tells what is lost, doubled and misrouted apart."""

from workers.simulation.ledger import MeantLedger, Told

READY: Told = ("result.ready", "1", "1001")
DECIDED: Told = ("packet.decided", "1", "1001")


def ledger() -> MeantLedger:
    kept = MeantLedger()
    kept.tell("result.ready", "1", "1001")
    kept.tell("packet.decided", "1", "1001")
    return kept


def figures(kept: MeantLedger, *told: Told) -> tuple[int, int, int]:
    found = kept.compare(told)
    assert found.nothing == (not found.examples)
    return found.lost, found.doubled, found.misrouted


def test_what_was_told_as_meant_is_in_order() -> None:
    assert figures(ledger(), DECIDED, READY) == (0, 0, 0)


def test_what_was_not_told_is_lost() -> None:
    assert figures(ledger(), READY) == (1, 0, 0)
    assert figures(ledger()) == (2, 0, 0)


def test_what_was_told_twice_is_doubled() -> None:
    assert figures(ledger(), READY, DECIDED, READY) == (0, 1, 0)


def test_what_was_told_to_another_office_is_misrouted_and_lost_for_the_right_one() -> None:
    assert figures(ledger(), DECIDED, ("result.ready", "1", "1002")) == (1, 0, 1)


def test_what_is_meant_twice_is_told_twice() -> None:
    kept = ledger()
    kept.tell("result.ready", "1", "1001")
    assert figures(kept, DECIDED, READY, READY) == (0, 0, 0)
    assert figures(kept, DECIDED, READY) == (1, 0, 0)


def test_one_piece_of_news_may_be_for_several_offices() -> None:
    kept = MeantLedger()
    kept.tell("packet.lost", "1", "1001", "2001")
    assert figures(kept, ("packet.lost", "1", "1001"), ("packet.lost", "1", "2001")) == (0, 0, 0)


def test_a_packet_for_the_wrong_department_is_misrouted() -> None:
    kept = ledger()
    kept.astray.append("1")
    assert figures(kept, DECIDED, READY) == (0, 0, 1)
