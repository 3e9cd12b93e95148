"""One application served by uvicorn over a real socket, in a thread of the tests."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import uvicorn
from sqlalchemy import update

from config.clock import utc_now
from config.settings import Settings
from models import Staff
from models.database import Database
from tests.integration.workflow.crew import Crew
from web.app import create_app


@dataclass
class Serving:
    """Where it is, and what is behind it."""

    address: str
    crew: Crew


@contextmanager
def serving(url: str, *, home: Path, password_hash: str, port: int = 0) -> Iterator[Serving]:
    """Serve for the time of a block, on a free port where none is asked for."""
    database = Database(url)
    crew = Crew.of(database)
    crew.now = utc_now()
    with database.transaction() as session:
        session.execute(update(Staff).values(password_hash=password_hash, language="en"))
    app = create_app(Settings(home=home, broker_url=None), database=database)
    config = uvicorn.Config(app, port=port, log_config=None, access_log=False, timeout_graceful_shutdown=1)
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    deadline = time.monotonic() + 15
    while not server.started:
        assert thread.is_alive()
        assert time.monotonic() < deadline
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield Serving(f"http://127.0.0.1:{port}", crew)
    finally:
        server.should_exit = True
        thread.join(15)
        database.close()
