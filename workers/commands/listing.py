"""How the help lists commands: by what they are for, in plain text, because Rich loads longer than all the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

from typer.core import TyperGroup

if TYPE_CHECKING:
    from typer._click import Context, HelpFormatter


class Listing(TyperGroup):
    """A group that writes the whole first paragraph of each command, under the heading it was registered with."""

    def format_commands(self, ctx: Context, formatter: HelpFormatter) -> None:
        """Write a section for each heading, in the order in which they came."""
        sections: dict[str, list[tuple[str, str]]] = {}
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is None or command.hidden:
                continue
            heading = getattr(command, "rich_help_panel", None)
            paragraph = (command.help or "").split("\n\n")[0]
            sections.setdefault(heading if isinstance(heading, str) else "Commands", []).append(
                (name, " ".join(paragraph.split()))
            )
        for heading, rows in sections.items():
            with formatter.section(heading):
                formatter.write_dl(rows)
