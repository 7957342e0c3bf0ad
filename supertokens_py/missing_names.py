"""Names of `supertokens_python` that this package does not have: their import says what to do instead."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from importlib.abc import MetaPathFinder

#: Recipes that decide who logs in, and their companions; of those, `emailpassword`, `emailverification`,
#: `passwordless` and `thirdparty` are here.
LOGIN_RECIPES = frozenset(
    (
        "accountlinking",
        "thirdpartyemailpassword",
        "thirdpartypasswordless",
        "webauthn",
        "oauth2provider",
        "multifactorauth",
        "totp",
        "dashboard",
    )
)

_ADVICE = (
    "{module} has no {name}: in supertokens_py {instead}; see 'Recipes' on the page 'Moving from "
    "supertokens_python' (docs/moving.md)"
)
_SIGN_IN = (
    "users sign in by emailpassword.init(), passwordless.init() or thirdparty.init(), or by means of your "
    "own that call create_new_session()"
)
_INSTEAD = {
    "thirdpartyemailpassword": "list thirdparty.init() and emailpassword.init()",
    "thirdpartypasswordless": "list thirdparty.init() and passwordless.init()",
    "dashboard": "`supertokens admin` shows users and sessions",
}


def _advice(module: str, name: str) -> str:
    return _ADVICE.format(module=module, name=name, instead=_INSTEAD.get(name, _SIGN_IN))


def explain(module: str, names: Iterable[str]) -> Callable[[str], object]:
    """Return a module's `__getattr__` that explains these missing names."""
    known = frozenset(names)

    def missing(name: str) -> object:
        if name in known:
            # An AttributeError would be replaced by Python's own text, which does not help.
            raise ImportError(_advice(module, name), name=f"{module}.{name}")
        raise AttributeError(f"module {module!r} has no attribute {name!r}")

    return missing


class _MissingModules(MetaPathFinder):
    """Explains imports of modules that nobody else has found."""

    def __init__(self, package: str, names: Iterable[str]) -> None:
        self._missing = {f"{package}.{name}": name for name in names}
        self._package = package

    def find_spec(self, fullname: str, path: object = None, target: object = None) -> None:
        if fullname in self._missing:
            text = _advice(self._package, self._missing[fullname])
            raise ModuleNotFoundError(text, name=fullname)


def explain_modules(package: str, names: Iterable[str]) -> None:
    """Explain failed imports of `package.name` and its submodules, too; existing modules are unaffected."""
    sys.meta_path.append(_MissingModules(package, names))
