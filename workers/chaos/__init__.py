"""A house of its own that is broken on purpose, and a ledger of what was meant; never touches another installation."""

from workers.chaos.terminal import command

__all__ = ["command"]
