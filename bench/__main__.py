"""The short set: `python -m bench [--store]`, under five minutes; compares with the last stored result by ratio."""

from __future__ import annotations

import sys
from collections.abc import Sequence

from bench import backlog, core, cost, latency, papers, verbs
from bench.measuring import RESULTS

SHORT = RESULTS / "short"
"""Its results, which are not those of the long rounds."""


def main(given: Sequence[str] | None = None) -> int:
    """Run the short set; exit with 1 when a ratio fell behind the stored one, or papers behind their peer."""
    kept = ["--results", str(SHORT), *(sys.argv[1:] if given is None else given)]
    return max(
        cost.main(["--rounds", "3", *kept]),
        core.main(["--rounds", "1", "--scans", "600", "--ways", "ours,naive", *kept]),
        latency.main(["--rounds", "1", "--seconds", "3", *kept]),
        backlog.main(["--rounds", "3", "--messages", "100000", *kept]),
        verbs.main(["--rounds", "1", *kept]),
        papers.main(["--rounds", "3", "--speed-only", *kept]),
    )


if __name__ == "__main__":
    sys.exit(main())
