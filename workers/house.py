"""What a new house needs before anybody can work in it: its tables, its offices, and its first people."""

import os

from config.clock import utc_now
from config.settings import Settings
from models.database import Database
from models.migrate import migrate
from workers.home import Home
from workers.people import add_first_people
from workflow.deadlines import adopt

_HEAD = "# First sign-ins of this installation: login, password, name. Keep them safe, or delete this file.\n"


def prepare(settings: Settings, home: Home) -> None:
    """Bring the database to this version and enter the first people when there is nobody; safe to repeat.

    Their passwords are kept in `first-sign-ins.txt`, readable by its owner alone.
    """
    database = Database(settings.effective_database_url)
    try:
        migrate(database)
        database.transact(lambda session: adopt(session, now=utc_now()))
        with database.transaction() as session:
            made = add_first_people(session, now=utc_now())
            if made:
                # Before the commit: a password that nobody can read would be lost for ever.
                _keep(home, made)
    finally:
        database.close()


def _keep(home: Home, made: list[tuple[str, str, str]]) -> None:
    width = max(len(login) for login, _, _ in made)
    lines = [f"{login:<{width}}  {password}  {name}\n" for login, password, name in made]
    home.first_sign_ins.unlink(missing_ok=True)
    with os.fdopen(os.open(home.first_sign_ins, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.writelines([_HEAD, *lines])
