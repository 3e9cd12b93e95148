"""What browsers get from others: brought from `node_modules` to where it is served.

`python -m web.third_party` copies it after `npm ci`; git ignores the copies, wheels and source archives hold them.
Nothing here needs an installed dependency.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from pathlib import Path

FOLDER = "third_party"
"""Where it is served, below the static files."""

ROOT = Path(__file__).resolve().parent.parent

TAKEN = {
    "barcode-detector": ("dist/es/ponyfill.js", "dist/es/zxing-exported.js", "LICENSE"),
    "zxing-wasm": ("dist/reader/zxing_reader.wasm", "LICENSE"),
}
"""Files of each package; licences travel with what they license."""


class IncompleteError(Exception):
    """Something is not there, or does not belong together; the sentence says what to do."""


def bring(modules: Path, target: Path) -> list[Path]:
    """Copy what the pages use from the folder `modules` to `target`, and return the copies.

    Raises IncompleteError when a file is missing, or when the reader of symbols was not built for its program.
    """
    packages = {"barcode-detector": modules / "barcode-detector"}
    # The copy that npm has laid inside the package, where there is one, is the one that fits it.
    nested = packages["barcode-detector"] / "node_modules" / "zxing-wasm"
    packages["zxing-wasm"] = nested if nested.is_dir() else modules / "zxing-wasm"
    _require_whole(packages)
    shutil.rmtree(target, ignore_errors=True)
    copies = []
    for name, paths in TAKEN.items():
        (target / name).mkdir(parents=True)
        for path in paths:
            copies.append(target / name / Path(path).name)
            shutil.copyfile(packages[name] / path, copies[-1])
    return copies


def _require_whole(packages: dict[str, Path]) -> None:
    for name, paths in TAKEN.items():
        for path in paths:
            if not (packages[name] / path).is_file():
                raise IncompleteError(f"{packages[name] / path} is missing. Run `npm ci`, then this again.")
    wasm = (packages["zxing-wasm"] / "dist/reader/zxing_reader.wasm").read_bytes()
    program = (packages["barcode-detector"] / "dist/es/zxing-exported.js").read_text(encoding="utf-8")
    if hashlib.sha256(wasm).hexdigest() not in program:
        version = json.loads((packages["zxing-wasm"] / "package.json").read_text(encoding="utf-8"))["version"]
        raise IncompleteError(
            f"zxing-wasm {version} is not the one that barcode-detector was built with. "
            "Remove node_modules and run `npm ci`."
        )


if __name__ == "__main__":
    try:
        bring(ROOT / "node_modules", ROOT / "web" / "static" / FOLDER)
    except IncompleteError as error:
        sys.exit(str(error))
