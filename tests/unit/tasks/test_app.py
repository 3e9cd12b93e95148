import ast
import inspect
from pathlib import Path

import pytest

from config.settings import settings
from routing.broker import NoBrokerError
from tasks import app as app_module
from tasks.app import configuration


def test_the_settings_that_were_run_together() -> None:
    found = configuration()
    assert found["broker_connection_retry_on_startup"] is True
    assert found["broker_connection_max_retries"] is None
    assert found["task_acks_late"] is True
    assert found["task_reject_on_worker_lost"] is True
    assert found["worker_prefetch_multiplier"] == 1
    assert found["task_soft_time_limit"] < found["task_time_limit"]
    options = found["broker_transport_options"]
    assert options["visibility_timeout"] >= 5 * found["task_time_limit"]
    assert found["task_create_missing_queues"] is False
    assert found["worker_enable_remote_control"] is False
    assert found["accept_content"] == ["json"]
    assert len(found["task_queues"]) == 59


def test_rabbitmq_gets_quorum_queues_and_confirms(broker_address: pytest.MonkeyPatch) -> None:
    broker_address.setenv("SHABARMAN_BROKER_URL", "amqp://guest@127.0.0.1:1//")
    settings.cache_clear()
    found = configuration()
    assert found["broker_transport_options"]["confirm_publish"] is True
    assert {queue.queue_arguments["x-queue-type"] for queue in found["task_queues"]} == {"quorum"}


def test_without_a_broker_it_is_said_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("SHABARMAN_BROKER_URL", raising=False)
    monkeypatch.delenv("REDIS_URL", raising=False)
    monkeypatch.setenv("SHABARMAN_HOME", str(tmp_path))
    settings.cache_clear()
    with pytest.raises(NoBrokerError, match="shabarman up"):
        configuration()


def test_each_setting_stands_beside_a_reason() -> None:
    """A group of settings may share the comment above it; no group is without one."""
    source = inspect.getsource(configuration)
    table = next(
        node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Dict) and len(node.keys) > 20
    )
    lines = source.splitlines()
    comments = sum(line.strip().startswith("#") for line in lines[table.lineno : table.end_lineno])
    assert comments >= 15
    assert app_module.app.main == "shabarman"
