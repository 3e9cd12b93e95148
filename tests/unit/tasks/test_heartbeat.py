"""Signs of life on connections to RabbitMQ: the worker and the relay give them alike, and often enough."""

from routing.broker import HEARTBEAT_SECONDS
from tasks.app import configuration

TIME_TO_RECOVER = 60


def test_a_dead_connection_is_dropped_well_within_the_time_to_recover() -> None:
    # RabbitMQ looks once in each interval, and drops who was silent twice in a row: three intervals at the worst.
    assert 3 * HEARTBEAT_SECONDS <= TIME_TO_RECOVER / 2
    assert configuration()["broker_heartbeat"] == HEARTBEAT_SECONDS
