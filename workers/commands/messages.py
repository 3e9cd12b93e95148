"""`messages`, `messages replay`, `messages discard`: the news that is not told yet, and the dead letters."""

import getpass
import json
from typing import Annotated, Any

import typer

from config.errors import BadInputError
from config.language import Text, language_of_environment
from workers.commands.listing import Listing
from workers.installation import migrated_database

Ids = Annotated[list[int] | None, typer.Argument(help="Numbers of dead messages.", show_default=False)]
All = Annotated[bool, typer.Option("--all", help="All dead messages.")]
Reason = Annotated[
    str | None,
    typer.Option(help="All that died of this reason, such as mail_server.", show_default=False),
]
Note = Annotated[str, typer.Option(help="Why; kept with the message.", show_default=False)]
By = Annotated[
    str | None,
    typer.Option(help="Login of the person who decides it; else the system user.", show_default=False),
]


class WhichMessagesError(BadInputError):
    """Neither numbers nor `--all` nor a reason were given, or several of them."""

    code = "which_messages"
    text = Text(
        "Say which messages: their numbers, --all for all dead ones, or --reason for all of a reason; one of the three."
    )


def register(app: typer.Typer) -> None:
    """Add these commands to `app`."""
    group = typer.Typer(cls=Listing, invoke_without_command=True, help=messages.__doc__)
    group.callback()(messages)
    group.command()(replay)
    group.command()(discard)
    app.add_typer(group, name="messages", rich_help_panel="Upkeep")


def messages(
    context: typer.Context,
    *,
    dead: Annotated[bool, typer.Option("--dead", help="Only those that nobody could handle.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="JSON on stdout, for programs.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="Most messages shown.")] = 1000,
) -> None:
    """List messages that are not done yet; with --dead only the dead letters with their whole story, and the junk."""
    if context.invoked_subcommand is not None:
        return
    from models.message import MessageState  # noqa: PLC0415 - `--help` needs none of it
    from workflow import outbox  # noqa: PLC0415 - as above

    states = (MessageState.DEAD,) if dead else (*outbox.OPEN, MessageState.DEAD)
    with migrated_database() as database, database.reading() as session:
        shown: dict[str, Any] = {
            "counts": outbox.counts(session),
            "messages": outbox.with_story(session, outbox.listed(session, states=states, limit=limit)),
            "junk": outbox.junk(session, limit=limit),
        }
    if as_json:
        typer.echo(json.dumps(shown, ensure_ascii=False, indent=2))
        return
    typer.echo("  ".join(f"{state} {number}" for state, number in shown["counts"].items()))
    for row in shown["messages"]:
        last = f"  {row['reason']}: {row['last_error']}" if row["last_error"] else ""
        typer.echo(
            f"{row['id']}  {row['state']}  {row['type']}  {row['queue']}  {row['subject']}  {row['attempts']}x{last}"
        )
        for step in row["story"] if dead else ():
            typer.echo(f"    {step['at']}  {step['life']}.{step['number']}  {step['error']}")
        for step in row["decisions"] if dead else ():
            typer.echo(f"    {step['at']}  {step['action']}  {step['by']}: {step['reason']}")
    for row in shown["junk"]:
        typer.echo(
            f"junk {row['id']}  {row['queue']}  {row['received_at']}  {row['bytes']} B  {row['reason']}"
        )


def replay(ids: Ids = None, *, note: Note, by: By = None, every: All = False, reason: Reason = None) -> None:
    """Try dead messages again, with all their attempts."""
    from workflow.outbox import replay as try_again  # noqa: PLC0415 - as above

    _settle(try_again, ids, note, by, every=every, died_of=reason)


def discard(ids: Ids = None, *, note: Note, by: By = None, every: All = False, reason: Reason = None) -> None:
    """Let dead messages go for good; their rows stay, with the note."""
    from workflow.outbox import discard as let_go  # noqa: PLC0415 - as above

    _settle(let_go, ids, note, by, every=every, died_of=reason)


def _settle(
    work: Any,  # noqa: ANN401 - replay or discard
    ids: list[int] | None,
    note: str,
    by: str | None,
    *,
    every: bool,
    died_of: str | None,
) -> None:
    if every + bool(ids) + (died_of is not None) != 1:
        raise WhichMessagesError
    from workflow.people import actor  # noqa: PLC0415 - as above

    with migrated_database() as database:
        if by is not None:
            with database.reading() as session:
                by = actor(session, login=by).login  # A spelling mistake would be kept for ever.
        who = by or getpass.getuser()
        number = database.transact(
            lambda session: work(session, ids=ids or None, by=who, reason=note, died_of=died_of)
        )
    typer.echo(Text("Messages changed: {number}.").render(language_of_environment(), number=number), err=True)
