"""`calendar list`, `calendar set`, `calendar confirm`: the dates on which offices work otherwise than usual."""

import getpass
import json
from enum import StrEnum
from typing import Annotated, Any

import typer

from config.clock import utc_now
from config.errors import BadInputError
from config.language import Text, language_of_environment
from workers.commands.listing import Listing
from workers.installation import migrated_database


class KindName(StrEnum):
    """The kinds of dates as the command line takes them; a test keeps them equal to those of `config.public_days`."""

    HOLIDAY = "holiday"
    MOVED = "moved"
    TRANSFERRED = "transferred"
    WORKING = "working"
    HOURS = "hours"
    CLOSED = "closed"
    ORDINARY = "ordinary"


class WhichOfficesError(BadInputError):
    """Neither offices nor kinds of offices were given, or both."""

    code = "which_offices"
    text = Text(
        "Say which offices: --office with their codes, or --of centre, department or akimat, or --all."
    )


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    group = typer.Typer(
        cls=Listing, no_args_is_help=True, help="The dates on which offices work otherwise than usual."
    )
    group.command("list")(list_days)
    group.command("set")(set_day)
    group.command()(confirm)
    app.add_typer(group, name="calendar", rich_help_panel="Upkeep")


def list_days(
    *,
    year: Annotated[int | None, typer.Option(help="This year, unless given.")] = None,
    office: Annotated[str | None, typer.Option(help="Only what touches the office with this code.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on stdout, for programs.")] = False,
) -> None:
    """List the dates of a year, each with its source; the seed where nobody has corrected it."""
    from config.calendar import today  # noqa: PLC0415 - `--help` needs none of it
    from models.office_day import CalendarYear  # noqa: PLC0415 - as above
    from workflow import calendar  # noqa: PLC0415 - as above

    wanted = year or today(utc_now()).year
    with migrated_database() as database:
        database.transact(lambda session: calendar.seed(session, now=utc_now()))
        with database.reading() as session:
            found = calendar.listed(session, wanted, code=office)
            held = session.get(CalendarYear, wanted)
            confirmed = held.source if held and held.confirmed_at else None
    rows: list[dict[str, Any]] = [
        {
            "date": row.day.isoformat(),
            "offices": row.office or row.office_kind.value,
            "kind": row.kind.value,
            "hours": row.hours,
            "names": {"kk": row.name_kk, "ru": row.name_ru},
            "estimated": row.estimated,
            "source": row.source,
            "set_by": row.set_by or None,
        }
        for row in found
    ]
    if as_json:
        typer.echo(
            json.dumps({"year": wanted, "confirmed": confirmed, "days": rows}, ensure_ascii=False, indent=2)
        )
        return
    language = language_of_environment()
    for row in rows:
        name = row["names"]["kk" if language == "kk" else "ru"]
        hours = " ".join(row["hours"] or ())
        marks = "  ".join(part for part in (hours, name, "?" if row["estimated"] else "") if part)
        typer.echo(f"{row['date']}  {row['offices']:<10}  {row['kind']:<11}  {marks}  [{row['source']}]")
    if confirmed is None:
        typer.echo(Text("The year {year} is not confirmed yet.").render(language, year=wanted), err=True)


def set_day(
    when: Annotated[str, typer.Argument(help="2027-03-22, or 2027-03-22..2027-03-24.")],
    kind: Annotated[KindName, typer.Argument(help="What the date is; ordinary takes a correction back.")],
    *,
    source: Annotated[str, typer.Option(help="Decree or order that says so.")],
    office: Annotated[list[str] | None, typer.Option(help="Code of an office; several times.")] = None,
    of: Annotated[
        list[str] | None, typer.Option(help="All centres, departments or akimats; several times.")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="All offices.")] = False,
    hours: Annotated[str, typer.Option(help="Own hours: 09:00-13:00,14:00-17:00.")] = "",
    name_kk: Annotated[str, typer.Option(help="Name of the date in Kazakh.")] = "",
    name_ru: Annotated[str, typer.Option(help="Name of the date in Russian.")] = "",
) -> None:
    """Correct the table of dates; open deadlines go later where working time is lost, never earlier."""
    from config.public_days import DayKind  # noqa: PLC0415 - as above
    from models.office import OfficeKind  # noqa: PLC0415 - as above
    from workflow import calendar  # noqa: PLC0415 - as above

    if bool(office) + bool(of) + every != 1:
        raise WhichOfficesError
    try:
        kinds = list(OfficeKind) if every else [OfficeKind(word) for word in of or ()]
    except ValueError:
        raise WhichOfficesError from None
    with migrated_database() as database:
        moved = database.transact(
            lambda session: calendar.set_days(
                session,
                calendar.dates(when),
                kind=DayKind(kind.value),
                kinds=kinds,
                codes=office or (),
                hours=[part for part in hours.split(",") if part.strip()],
                name_kk=name_kk,
                name_ru=name_ru,
                source=source,
                by=getpass.getuser(),
                now=utc_now(),
            )
        )
    typer.echo(
        Text("Set. Deadlines moved later: {number}.").render(language_of_environment(), number=moved),
        err=True,
    )


def confirm(
    year: Annotated[int, typer.Argument(help="The year whose dates are right.")],
    *,
    source: Annotated[str, typer.Option(help="Decree on the days off of that year.")],
) -> None:
    """Confirm that the dates of a year are those of the decree; ends the warnings that begin on 1 December."""
    from workflow import calendar  # noqa: PLC0415 - as above

    with migrated_database() as database:
        database.transact(lambda session: calendar.seed(session, now=utc_now()))
        database.transact(
            lambda session: calendar.confirm(
                session, year, source=source, by=getpass.getuser(), now=utc_now()
            )
        )
    typer.echo(Text("The year {year} is confirmed.").render(language_of_environment(), year=year), err=True)
