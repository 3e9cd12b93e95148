"""`staff add`, `staff list`, `staff password`, `staff off`, `token`: people and their API tokens."""

import getpass
import json
import sys
from enum import StrEnum
from typing import Annotated

import typer

from config.clock import utc_now
from config.language import Text, language_of_environment
from workers.commands.listing import Listing
from workers.installation import migrated_database


class RoleName(StrEnum):
    """The roles as the command line takes them; a test keeps them equal to those of `models.staff`."""

    INSPECTOR = "inspector"
    ACCUMULATOR = "accumulator"
    COURIER = "courier"
    REGISTRAR = "registrar"
    HEAD = "head"
    EXECUTOR = "executor"
    CLERK = "clerk"
    AKIM = "akim"
    OPERATOR = "operator"
    ADMINISTRATOR = "administrator"


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    group = typer.Typer(cls=Listing, no_args_is_help=True, help="The people who work with packets.")
    group.command("add")(add)
    group.command("list")(list_staff)
    group.command("password")(password)
    group.command("off")(off)
    app.add_typer(group, name="staff", rich_help_panel="People")
    app.command(rich_help_panel="People")(token)


def add(
    login: Annotated[str, typer.Argument(help="Name at sign-in.")],
    *,
    name: Annotated[str, typer.Option(help="Name as printed on receipts.")],
    office: Annotated[str, typer.Option(help="Four digits of the office (see `shabarman offices`).")],
    role: Annotated[list[RoleName], typer.Option(help="What the person does; may be given several times.")],
    email: Annotated[str | None, typer.Option(help="Where notices go, besides the pages.")] = None,
    language: Annotated[str, typer.Option(help="Language of the pages: kk, ru or en.")] = "kk",
    password_stdin: Annotated[
        bool, typer.Option("--password-stdin", help="Read the password from the first line of the input.")
    ] = False,
) -> None:
    """Enter a person who may sign in; asks for the password."""
    from models.staff import Role  # noqa: PLC0415 - `--help` needs none of it
    from workflow.staffing import Particulars, add_person  # noqa: PLC0415 - as above

    tongue = language_of_environment()
    with migrated_database() as database:
        if password_stdin:
            password = sys.stdin.readline().rstrip("\r\n")
        else:
            question = Text("Password").render(tongue)
            password = typer.prompt(question, hide_input=True, confirmation_prompt=True, err=True)
        database.transact(
            lambda session: add_person(
                session,
                login=login,
                person=Particulars(
                    name=name,
                    office=office,
                    roles=[Role(word.value) for word in role],
                    email=email,
                    language=language,
                ),
                password=password,
                by=getpass.getuser(),
                now=utc_now(),
            )
        )
    typer.echo(Text("{login} may sign in.").render(tongue, login=login.lower()), err=True)


def list_staff(
    *, as_json: Annotated[bool, typer.Option("--json", help="JSON on stdout, for programs.")] = False
) -> None:
    """List everybody who was entered: login, office, roles."""
    from workflow.staffing import everybody  # noqa: PLC0415 - as above

    with migrated_database() as database, database.reading() as session:
        people = [
            {
                "login": person.login,
                "name": person.name,
                "office": person.office,
                "roles": list(person.roles),
                "active": person.active,
            }
            for person in everybody(session)
        ]
    if as_json:
        typer.echo(json.dumps(people, ensure_ascii=False, indent=2))
        return
    for person in people:
        roles = ", ".join(map(str, person["roles"] if isinstance(person["roles"], list) else ()))
        typer.echo(f"{person['login']}  {person['office']}  {roles}  {person['name']}")


def password(
    login: Annotated[str, typer.Argument(help="Whose password it is.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on stdout, for programs.")] = False,
) -> None:
    """Give a person a new password and print it; it is shown this once, and must be changed at the next sign-in."""
    from workflow.staffing import give_password  # noqa: PLC0415 - as above

    with migrated_database() as database:
        made = database.transact(
            lambda session: give_password(session, login, by=getpass.getuser(), now=utc_now())
        )
    typer.echo(json.dumps({"login": login.strip().lower(), "password": made}) if as_json else made)


def off(
    login: Annotated[str, typer.Argument(help="Who may sign in no more.")],
    *,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on stdout, for programs.")] = False,
) -> None:
    """Let a person sign in no more; sign-ins and tokens end at once. The pages switch somebody on again."""
    from workflow.staffing import switch  # noqa: PLC0415 - as above

    with migrated_database() as database:
        database.transact(
            lambda session: switch(session, login, active=False, by=getpass.getuser(), now=utc_now())
        )
    known = login.strip().lower()
    if as_json:
        typer.echo(json.dumps({"login": known, "active": False}))
        return
    typer.echo(Text("{login} may sign in no more.").render(language_of_environment(), login=known), err=True)


def token(login: Annotated[str, typer.Argument(help="Whose rights the program gets.")]) -> None:
    """Print a fresh API token; it is shown this once."""
    from workflow.staffing import new_token  # noqa: PLC0415 - as above

    with migrated_database() as database:
        made = database.transact(lambda session: new_token(session, login=login, now=utc_now()))
    typer.echo(made)
