import pytest

from config.offices import KINDS, districts, offices
from routing.broker import BrokerKind
from routing.queues import (
    DELIVERY_LIMIT,
    NOTICES,
    PAPERS,
    UPKEEP,
    UnknownQueueError,
    declarations,
    names,
    office_of,
    queue_of,
)


def test_every_office_has_one_queue_and_nobody_else_has_any() -> None:
    assert {queue_of(office.kind, office.district) for office in offices()} | {
        NOTICES,
        PAPERS,
        UPKEEP,
    } == set(names())
    assert len(names()) == len(set(names())) == 19 + 19 + 18 + 3


def test_a_district_without_akimats_has_no_queue_for_them() -> None:
    assert "akimat.tekeli" not in names()
    with pytest.raises(UnknownQueueError, match=r"akimat\.tekeli"):
        queue_of("akimat", "tekeli")


@pytest.mark.parametrize(
    ("kind", "district"), [("centre", "nowhere"), ("ministry", "aksu"), ("", ""), ("notices", "")]
)
def test_no_queue_is_made_up(kind: str, district: str) -> None:
    with pytest.raises(UnknownQueueError):
        queue_of(kind, district)


def test_a_queue_leads_back_to_its_office() -> None:
    for office in offices():
        told = office_of(queue_of(office.kind, office.district))
        assert told == (None if office.kind == "akimat" else office.code)
    assert office_of(NOTICES) is None
    with pytest.raises(UnknownQueueError):
        office_of("centre.nowhere")


def test_there_is_a_department_and_a_centre_for_each_district() -> None:
    for district in districts():
        assert {f"department.{district.code}", f"centre.{district.code}"} <= set(names())
    assert set(KINDS) == {name.partition(".")[0] for name in names() if "." in name}


@pytest.mark.parametrize("kind", list(BrokerKind))
def test_messages_go_straight_to_their_queue(kind: BrokerKind) -> None:
    for queue in declarations(kind):
        assert queue.exchange.name == ""
        assert queue.routing_key == queue.name
        assert queue.durable
        assert not queue.auto_delete


def test_rabbitmq_keeps_queues_on_several_nodes_and_ends_loops() -> None:
    for queue in declarations(BrokerKind.RABBITMQ):
        assert queue.queue_arguments is not None
        assert queue.queue_arguments["x-queue-type"] == "quorum"
        assert queue.queue_arguments["x-delivery-limit"] == DELIVERY_LIMIT
    assert all(queue.queue_arguments is None for queue in declarations(BrokerKind.REDIS))
