# Sourced by the other scripts (POSIX sh): gives them $ROOT and a ready $PY.
#
#   bootstrap EXTRAS    makes .venv with the package and these extras, quietly and once;
#                       "dev" in the versions, and with the hashes, of requirements/dev.txt
#
# Environment: PYTHON   the Python that makes the environment (default: the newest >= 3.11 found)
#              VENV     where it lives (default: .venv in the repository)
#              SUPERTOKENS_SKIP_INSTALL=1   use VENV as it is

ROOT=$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd -P)
VENV=${VENV:-$ROOT/.venv}
PY=$VENV/bin/python
unset PYTHONHOME PYTHONPATH
unset PYTHONDONTWRITEBYTECODE  # the tests start hundreds of processes, which would compile everything each

say() { printf '%s\n' "$@" >&2; }
die() { say "" "$@"; exit 1; }

new_enough() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; }

find_python() {
  for candidate in ${PYTHON:+"$PYTHON"} python3.14 python3.13 python3.12 python3.11 python3 python; do
    if new_enough "$candidate"; then printf '%s\n' "$candidate"; return 0; fi
  done
  return 1
}

make_venv() {
  python=$(find_python) || die \
    "Python 3.11 or newer is needed and was not found." \
    "  Debian, Ubuntu:  sudo apt-get install python3 python3-venv" \
    "  Fedora:          sudo dnf install python3" \
    "  macOS:           brew install python      (or https://www.python.org/downloads/)" \
    "If it is installed under another name: PYTHON=/path/to/python $0"
  "$python" -c 'import venv, ensurepip' >/dev/null 2>&1 || die \
    "This Python has no venv module: $(command -v "$python")" \
    "  Debian, Ubuntu:  sudo apt-get install python3-venv"
  "$python" -m venv --clear "$VENV" || die "Could not create $VENV. Is the folder writable, is the disk full?"
}

# A line of dots while a silent command runs, so that a slow step does not look like a hang.
with_progress() {
  title=$1 log=$2; shift 2
  if [ ! -t 2 ]; then say "$title ..."; "$@" >"$log" 2>&1; return; fi
  printf '%s ' "$title" >&2
  "$@" >"$log" 2>&1 &
  job=$!
  trap 'kill "$job" 2>/dev/null; exit 130' INT TERM
  while kill -0 "$job" 2>/dev/null; do printf '.' >&2; sleep 1; done
  trap - INT TERM
  if wait "$job"; then say " done"; else say " failed"; return 1; fi
}

install_hint() {
  if grep -qiE 'name resolution|connection|network|timed? ?out|unreachable|proxy|no matching distribution' "$1"; then
    say "The package index could not be reached. Check the network (behind a proxy: set HTTPS_PROXY,"
    say "for an index of your own: PIP_INDEX_URL), then run the command again."
  fi
}

pip_install() { "$PY" -m pip install --disable-pip-version-check --no-input "$@"; }

install() {
  if [ "$1" = dev ]; then  # hatchling is locked, too, so nothing is built in isolation
    # The file is complete; resolving it again, pip refuses extras of pinned packages, which have no pin themselves.
    pip_install --no-deps --require-hashes --requirement "$ROOT/requirements/dev.txt" &&
      pip_install --no-deps --no-build-isolation --editable "$ROOT"
  else
    pip_install --editable "$ROOT[$1]"
  fi
}

bootstrap() {
  extras=$1
  [ "${SUPERTOKENS_SKIP_INSTALL:-}" = 1 ] && return 0
  # The stamp names what was asked for; "dev" holds every other extra. It also names the place, because
  # an environment does not survive being moved.
  sum="$(cat "$ROOT/pyproject.toml" "$ROOT/requirements/dev.txt" | cksum) $ROOT"
  for stamp in "$VENV/.installed-dev" "$VENV/.installed-$extras"; do
    if [ -x "$PY" ] && [ "$(cat "$stamp" 2>/dev/null)" = "$sum" ] && new_enough "$PY"; then return 0; fi
  done
  new_enough "$PY" || make_venv
  log=$VENV/install.log
  with_progress "Installing supertokens_py and what it needs into $VENV (once, up to a minute)" "$log" \
    install "$extras" || {
    tail -n 15 "$log" >&2; install_hint "$log"; die "The installation failed; all of it is in $log"
  }
  printf '%s\n' "$sum" >"$VENV/.installed-$extras"
}
