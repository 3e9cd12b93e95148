"""Sites for the tests of deploy/."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.functional.deploy import site as sites
from tests.functional.deploy.site import Site


@pytest.fixture(scope="session")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the folder of programs of an environment into which the wheel was installed."""
    with sites.installed_wheel(tmp_path_factory.mktemp("wheel")) as folder:
        yield folder


@pytest.fixture(scope="session")
def next_programs(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Return the same of a version that comes after ours, with a migration of its own."""
    source = sites.next_version(tmp_path_factory.mktemp("next"))
    with sites.installed_wheel(tmp_path_factory.mktemp("next-wheel"), source=source) as folder:
        yield folder


@pytest.fixture(scope="package")
def redis_site(tmp_path_factory: pytest.TempPathFactory, programs: Path) -> Iterator[Site]:
    """Have a site with PostgreSQL and Redis for all tests of this folder; Ақсу has workers of its own."""
    folder = tmp_path_factory.mktemp("redis-site")
    with sites.site(folder, programs, broker="redis", districts=["aksu"]) as made:
        yield made


@pytest.fixture(scope="package")
def rabbitmq_site(tmp_path_factory: pytest.TempPathFactory, programs: Path) -> Iterator[Site]:
    """Have the same with RabbitMQ."""
    folder = tmp_path_factory.mktemp("rabbitmq-site")
    with sites.site(folder, programs, broker="rabbitmq", districts=["aksu"]) as made:
        yield made


@pytest.fixture(
    params=[
        pytest.param("redis", marks=pytest.mark.redis),
        pytest.param("rabbitmq", marks=pytest.mark.rabbitmq),
    ]
)
def site(request: pytest.FixtureRequest) -> Iterator[Site]:
    """Return both sites, one after the other; what a test starts there is stopped after it."""
    made: Site = request.getfixturevalue(f"{request.param}_site")
    yield made
    made.services.close()
