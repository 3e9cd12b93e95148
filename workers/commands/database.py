"""`migrate`: the tables of this version."""

import typer

from workers.installation import current_settings


def register(app: typer.Typer) -> None:
    """Add this command to `app`."""
    app.command(rich_help_panel="Upkeep")(migrate)


def migrate() -> None:
    """Bring the database to the tables of this version, and open clocks for what is under way; safe to repeat."""
    settings = current_settings()
    from config.clock import utc_now  # noqa: PLC0415 - as above
    from models.database import Database  # noqa: PLC0415 - `--help` needs none of it
    from models.migrate import migrate as bring_up  # noqa: PLC0415 - as above
    from workers.home import home_at  # noqa: PLC0415 - as above
    from workflow.deadlines import adopt  # noqa: PLC0415 - as above

    if settings.database_url is None:
        home_at(settings.home).make()
    database = Database(settings.effective_database_url)
    try:
        step = bring_up(database)
        database.transact(lambda session: adopt(session, now=utc_now()))
    finally:
        database.close()
    typer.echo(f"The database is at step {step}.", err=True)
