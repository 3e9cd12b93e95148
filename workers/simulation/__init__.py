"""Whole courier days through the real workflow, broker and workers; never a state written past `workflow`."""

from workers.simulation.terminal import command

__all__ = ["command"]
