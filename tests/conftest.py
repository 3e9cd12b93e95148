"""What holds for all tests."""

import os
import signal
from collections.abc import Generator

import pytest

# A shell without a terminal lets what it starts in the background ignore Ctrl-C, and so would every process of ours.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Let a skipped test fail in CI: a server or a program that is not there would hide what is broken."""
    report = yield
    if report.skipped and os.environ.get("CI"):
        report.outcome = "failed"
        report.longrepr = f"Nothing is skipped in CI: {report.longrepr}"
    return report
