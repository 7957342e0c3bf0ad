"""npm packages for the tests: installed once from a lock file, and bundled once."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from tests.support.programs import npm

HERE = Path(__file__).parent
PAGES = HERE / "build" / "pages"
INSTALL_SECONDS = 300
STAMP = ".installed"


def install(folder: Path) -> None:
    """Run `npm ci` in `folder` unless its lock file is installed already."""
    program = npm()
    wanted = hashlib.sha256((folder / "package-lock.json").read_bytes()).hexdigest()
    stamp = folder / "node_modules" / STAMP
    with _alone(folder):
        if stamp.is_file() and stamp.read_text() == wanted:
            return
        _run([program, "ci", "--no-audit", "--no-fund"], folder)
        stamp.write_text(wanted)


def build(folder: Path, into: Path) -> None:
    """Build the frontend in `folder` with its own command, unless another test worker has done so."""
    install(folder)
    with _alone(folder):
        if not (into / "index.html").is_file():
            _run([npm(), "run", "build", "--", "--outDir", str(into), "--emptyOutDir"], folder)


def build_with(folder: Path) -> None:
    """Build the frontend in `folder`, which has its packages, into its dist/."""
    _run([str(folder / "node_modules" / ".bin" / "vite"), "build"], folder)


def build_pages() -> Path:
    """Bundle the client page with the official packages and return its folder.

    Servers of other test workers may be serving the same: no file of it is ever written in part.
    """
    install(HERE)
    with _alone(HERE):
        fresh = PAGES.with_name("fresh")
        for folder in (PAGES, fresh):
            folder.mkdir(parents=True, exist_ok=True)
        esbuild = HERE / "node_modules" / ".bin" / "esbuild"
        _run(
            [
                str(esbuild),
                "client/client.js",
                "--bundle",
                "--minify",
                "--format=iife",
                "--log-level=warning",
                f"--outfile={fresh}/client.js",
            ],
            HERE,
        )
        for name in ("page.html", "prize.html"):
            shutil.copy(HERE / "client" / name, fresh)
        markup = (HERE / "client" / "script-tags.html").read_text()
        for part in ("website", "supertokens", "session"):
            # The names carry a hash of the content.
            (bundle,) = (HERE / "node_modules" / "supertokens-web-js" / "bundle").glob(f"{part}.*.js")
            shutil.copy(bundle, fresh)
            markup = markup.replace(f"{part.upper()}_BUNDLE", bundle.name)
        (fresh / "script-tags.html").write_text(markup)
        for file in fresh.iterdir():
            file.replace(PAGES / file.name)
    return PAGES


@contextlib.contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep the other test workers out of `folder`."""
    with open(folder / "package-lock.json", "rb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _run(command: list[str], folder: Path) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=INSTALL_SECONDS,
        check=False,
    )
    assert done.returncode == 0, f"{' '.join(command)} failed:\n{done.stdout}\n{done.stderr}"
    return done.stdout
