"""`doctor`: what is wrong with this installation, and what to do."""

import json
from typing import Annotated

import typer

from config.language import Text, language_of_environment
from workers.installation import current_settings

WORDS = {
    "ok": Text("ok"),
    "warning": Text("warning"),
    "fault": Text("fault"),
    "unknown": Text("not asked"),
}
SOUND = Text("Everything is sound.")


def register(app: typer.Typer) -> None:
    """Add this command to `app`."""
    app.command(rich_help_panel="Upkeep")(doctor)


def doctor(
    *, as_json: Annotated[bool, typer.Option("--json", help="JSON on stdout, for programs.")] = False
) -> None:
    """Ask settings, clock, database, broker, queues, processes and mail server; say what to do for each fault."""
    settings = current_settings()
    from workers.doctor import examine, exit_code  # noqa: PLC0415 - `--help` needs none of it

    found = examine(settings)
    language = language_of_environment()
    if as_json:
        worst = next((word for word in ("fault", "warning") if word in {one.status for one in found}), "ok")
        typer.echo(
            json.dumps(
                {"status": worst, "findings": [one.as_json(language) for one in found]},
                ensure_ascii=False,
                indent=2,
            )
        )
    else:
        width = max(len(word.render(language)) for word in WORDS.values())
        for one in found:
            typer.echo(f"{WORDS[one.status].render(language):<{width}}  {one.check}")
            if one.error is not None:
                typer.echo(f"{'':<{width}}  {one.error.sentence(language)}")
        if all(one.status == "ok" for one in found):
            typer.echo(SOUND.render(language))
    raise typer.Exit(exit_code(found))
