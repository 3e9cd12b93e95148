"""The home folder: where one machine keeps its data, and the lock that lets only one `shabarman up` have it."""

import fcntl
import os
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from config.errors import ConflictError
from config.language import Text
from workers.kernel import runs


class HomeTakenError(ConflictError):
    """Another `shabarman up` runs on the same home folder; `home` and `pid` say where and who."""

    code = "home_taken"
    text = Text(
        "`shabarman up` already runs on {home} (process {pid}). Stop that one first, "
        "or choose another folder with SHABARMAN_HOME."
    )


@dataclass(frozen=True, slots=True)
class Home:
    """The places in one home folder; every path is absolute."""

    folder: Path

    @property
    def run(self) -> Path:
        """Folder of what is there only while processes run."""
        return self.folder / "run"

    @property
    def logs(self) -> Path:
        """Folder of the logs, one file per process."""
        return self.folder / "logs"

    @property
    def broker_data(self) -> Path:
        """Folder of the embedded broker's append-only file."""
        return self.folder / "broker"

    @property
    def broker_config(self) -> Path:
        """Configuration of the embedded broker, readable by its user alone."""
        return self.run / "broker.conf"

    @property
    def broker_socket(self) -> Path:
        """Unix socket of the embedded broker."""
        return self.run / "broker.sock"

    @property
    def broker_url(self) -> Path:
        """File whose one line is the address of the embedded broker while it runs."""
        return self.run / "broker.url"

    @property
    def first_sign_ins(self) -> Path:
        """File with the passwords that were made for the first people."""
        return self.folder / "first-sign-ins.txt"

    @property
    def processes(self) -> Path:
        """What `shabarman up` runs at this moment: name, process id, state and starts of each process, as JSON."""
        return self.run / "processes.json"

    @property
    def figures(self) -> Path:
        """Folder in which the processes of each machine count for Prometheus."""
        return self.run / "figures"

    @property
    def flower_state(self) -> Path:
        """What Flower remembers between two runs."""
        return self.folder / "flower.db"

    def log(self, process: str) -> Path:
        """Return the log file of `process`."""
        return self.logs / f"{process}.log"

    def make(self) -> None:
        """Make the folders; only their user may look inside, because the database holds people's data."""
        for folder in (self.folder, self.run, self.logs):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if not os.access(folder, os.W_OK | os.X_OK):
                raise PermissionError(13, os.strerror(13), str(folder))

    def lock(self, *, patience: float = 30.0) -> IO[str]:
        """Take the folder for this process, and the children that inherit the returned file, until all have closed it.

        The children of a `shabarman up` that was killed end soon after it: they are waited for, `patience`
        seconds at most. Raises HomeTakenError.
        """
        file = (self.run / "up.lock").open("a+")
        deadline = time.monotonic() + patience
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                file.seek(0)
                holder = file.read().strip()
                if (holder.isdigit() and runs(int(holder))) or time.monotonic() > deadline:
                    file.close()
                    raise HomeTakenError(home=self.folder, pid=holder or "?") from None
                time.sleep(0.1)
            else:
                file.truncate(0)
                file.write(str(os.getpid()))
                file.flush()
                return file


def home_at(folder: Path) -> Home:
    """Return the home folder at `folder`, which may be relative to where the process was started."""
    return Home(folder.absolute())
