"""The invariants over the whole database, checked by SQL of its own; never a rule of `workflow`, never a write."""

from workers.verification.checking import verify
from workers.verification.report import Finding, Report
from workers.verification.terminal import command

__all__ = ["Finding", "Report", "command", "verify"]
