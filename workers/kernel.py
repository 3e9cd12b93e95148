"""What a process of ours asks of Linux: an end together with its parent, and a name that operators can read."""

import ctypes
import os
import signal
import sys
import threading
import time

_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15


def end_with_parent(parent: int, *, by: signal.Signals = signal.SIGTERM) -> None:
    """Ask the kernel to send the signal `by` to this process as soon as its `parent` (a process id) is gone.

    Ends at once when the parent went before the kernel could be asked. Elsewhere than on Linux nothing is asked.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, int(by), 0, 0, 0)
    if os.getppid() != parent:
        os._exit(0)


def end_after_parent(lifeline: int, *, grace: float) -> None:
    """Kill the process group of this process `grace` seconds after the other end of the pipe `lifeline` was closed.

    The signal of `end_with_parent` asks for a clean stop; this ends what does not heed it, so that no orphan stays.
    """

    def watch() -> None:
        os.read(lifeline, 1)
        time.sleep(grace)
        os.killpg(0, signal.SIGKILL)

    threading.Thread(target=watch, name="lifeline", daemon=True).start()


def runs(process: int) -> bool:
    """Tell whether there is a process with this id on this machine."""
    try:
        os.kill(process, 0)
    except PermissionError:
        return True
    except ProcessLookupError:
        return False
    return True


def name_process(name: str) -> None:
    """Show `name` for this process in `ps` and `top`, in place of the command that started its parent."""
    if sys.platform != "linux":
        return
    libc = ctypes.CDLL(None, use_errno=True)
    libc.prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0)
    with open("/proc/self/stat", encoding="ascii", errors="replace") as stat:  # noqa: PTH123
        # Behind the name in parentheses; fields 48 and 49 of proc(5) are where the arguments begin and end.
        fields = stat.read().rpartition(")")[2].split()
    start, end = int(fields[45]), int(fields[46])
    if 0 < start < end:
        room = end - start
        ctypes.memmove(start, name.encode()[: room - 1].ljust(room, b"\0"), room)
