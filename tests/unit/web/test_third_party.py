"""What the pages take from npm: brought whole or not at all, and from no address that a lock file names."""

import hashlib
import json
from pathlib import Path

import pytest

from web.third_party import ROOT, TAKEN, IncompleteError, bring

WASM = b"\0asm of a reader"


@pytest.fixture
def modules(tmp_path: Path) -> Path:
    """Return a folder as npm leaves it."""
    for name, paths in TAKEN.items():
        for path in paths:
            file = tmp_path / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(WASM if file.suffix == ".wasm" else b"of " + name.encode())
        (tmp_path / name / "package.json").write_text('{"version": "1.2.3"}')
    program = tmp_path / "barcode-detector/dist/es/zxing-exported.js"
    program.write_text(f'const expected = "{hashlib.sha256(WASM).hexdigest()}";')
    return tmp_path


def test_everything_is_brought_with_its_licence_and_nothing_old_stays(modules: Path, tmp_path: Path) -> None:
    target = tmp_path / "static" / "third_party"
    target.mkdir(parents=True)
    (target / "old.js").touch()
    bring(modules, target)
    assert sorted(str(file.relative_to(target)) for file in target.rglob("*") if file.is_file()) == [
        "barcode-detector/LICENSE",
        "barcode-detector/ponyfill.js",
        "barcode-detector/zxing-exported.js",
        "zxing-wasm/LICENSE",
        "zxing-wasm/zxing_reader.wasm",
    ]


def test_the_copy_inside_the_package_is_preferred(modules: Path, tmp_path: Path) -> None:
    target = tmp_path / "served"
    nested = modules / "barcode-detector" / "node_modules" / "zxing-wasm"
    nested.parent.mkdir()
    (modules / "zxing-wasm").rename(nested)
    (modules / "zxing-wasm" / "dist" / "reader").mkdir(parents=True)
    (modules / "zxing-wasm" / "dist" / "reader" / "zxing_reader.wasm").write_bytes(b"of another version")
    bring(modules, target)
    assert (target / "zxing-wasm" / "zxing_reader.wasm").read_bytes() == WASM


def test_a_reader_of_another_version_is_refused(modules: Path, tmp_path: Path) -> None:
    (modules / "zxing-wasm/dist/reader/zxing_reader.wasm").write_bytes(b"of another version")
    with pytest.raises(IncompleteError, match=r"zxing-wasm 1\.2\.3 is not the one"):
        bring(modules, tmp_path / "served")
    assert not (tmp_path / "served").exists()


def test_a_missing_file_is_named(modules: Path, tmp_path: Path) -> None:
    (modules / "barcode-detector/dist/es/ponyfill.js").unlink()
    with pytest.raises(IncompleteError, match=r"ponyfill\.js is missing. Run `npm ci`"):
        bring(modules, tmp_path / "served")


def test_the_lock_file_pins_by_content_and_names_no_address() -> None:
    locked = json.loads((ROOT / "package-lock.json").read_text(encoding="utf-8"))["packages"]
    wanted = json.loads((ROOT / "package.json").read_text(encoding="utf-8"))
    assert locked[""]["dependencies"] == wanted["dependencies"]
    assert locked[""]["devDependencies"] == wanted["devDependencies"]
    for path, package in locked.items():
        if path:
            assert package["integrity"].startswith("sha512-"), path
            assert "resolved" not in package, path
