"""The classic site of the documentation is made as its page says, and its tests pass."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import DOCS, files

pytestmark = [pytest.mark.real, pytest.mark.timeout(180)]  # a project in processes of its own

#: Django's own takes half a second for each password.
QUICK = 'PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]\n'
PAGE = DOCS / "django-site.md"


def run(directory: Path, *command: str) -> subprocess.CompletedProcess[str]:
    inherited = {name: value for name, value in os.environ.items() if name != "DJANGO_SETTINGS_MODULE"}
    done = subprocess.run(
        [sys.executable, *command],
        cwd=directory,
        env={**inherited, "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done


def test_the_site_is_made_as_the_page_says_and_its_tests_pass(tmp_path: Path) -> None:
    run(tmp_path, "-m", "django", "startproject", "shop", ".")
    run(tmp_path, "manage.py", "startapp", "accounts")
    for name, text in files(PAGE):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        before = path.read_text() + QUICK if name.endswith("settings.py") else ""
        path.write_text(before + text)
    run(tmp_path, "manage.py", "makemigrations", "accounts")
    tested = run(tmp_path, "manage.py", "test")
    assert re.search(r"^Ran 5 tests in ", tested.stderr, re.M)
    assert "System check identified no issues (0 silenced)." in tested.stdout + tested.stderr
    plugins = ("-p", "no:randomly", "-p", "no:xdist", "-p", "no:cacheprovider")
    again = run(tmp_path, "-m", "pytest", "-q", "--ds=shop.settings", *plugins)
    assert "1 passed" in again.stdout
    assert not list(tmp_path.glob("*supertokens.db*"))
