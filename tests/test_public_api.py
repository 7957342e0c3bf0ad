"""Code written for `supertokens_python` 0.24 finds every public name, with the same signature.

`public_api_0_24.txt` lists them. What differs is listed in `docs/differences.md`, with the reason; this
test reads that table, so that an unlisted difference fails, and a listed one that is none any more, too.
"""

from __future__ import annotations

import ast
import fnmatch
import importlib
import inspect
import re
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

import supertokens_py

pytestmark = pytest.mark.quick

HERE = Path(__file__).parent
CONTRACT = HERE / "public_api_0_24.txt"
DIFFERENCES = HERE.parent / "docs" / "differences.md"

_DEFINITION = re.compile(r"(async def|def|class) (\w+)(?:\((.*)\))?")
_VALUE = re.compile(r"(\w+) = (.+)")


@dataclass
class Entry:
    """A function, method or class as 0.24 had it; `parameters` is None where only the name counts."""

    name: str
    is_async: bool
    parameters: list[tuple[str, Any]] | None


@dataclass
class Module:
    """A public module of 0.24."""

    path: str
    names: list[str] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    values: dict[str, Any] = field(default_factory=dict)


def contract() -> list[Module]:
    modules: list[Module] = []
    owner = ""
    for line in CONTRACT.read_text().splitlines():
        if line.startswith("module "):
            modules.append(Module(line.removeprefix("module ")))
        elif line.startswith(": "):
            modules[-1].names = line.removeprefix(": ").split()
        elif found := _DEFINITION.fullmatch(line.strip()):
            kind, name, parameters = found.groups()
            if kind == "class":
                owner = name
            full = f"{owner}.{name}" if line.startswith(" ") else name
            modules[-1].entries.append(Entry(full, kind == "async def", parsed(parameters)))
        elif found := _VALUE.fullmatch(line):
            modules[-1].values[found[1]] = ast.literal_eval(found[2])
    return modules


def parsed(parameters: str | None) -> list[tuple[str, Any]] | None:
    """Return names and defaults of a parameter list, without `self`."""
    if parameters is None:
        return None
    (function,) = ast.parse(f"def f({parameters}): ...").body
    assert isinstance(function, ast.FunctionDef)
    arguments = function.args
    assert not [*arguments.kwonlyargs, *arguments.posonlyargs]
    assert (arguments.vararg, arguments.kwarg) == (None, None)
    names = [argument.arg for argument in arguments.args]
    defaults = [ast.literal_eval(default) for default in arguments.defaults]
    required = [inspect.Parameter.empty] * (len(names) - len(defaults))
    pairs = list(zip(names, required + defaults, strict=True))
    return pairs[1:] if names[:1] == ["self"] else pairs


MISSING = "missing"


def differences() -> dict[str, str]:
    """Return every difference: full name to what differs."""
    found: dict[str, str] = {}
    for module in contract():
        try:
            imported = importlib.import_module(module.path)
        except ImportError:
            found[module.path] = MISSING
            continue
        for name in module.names:
            if not importable(imported, name):
                found[f"{module.path}.{name}"] = MISSING
        for entry in module.entries:
            full = f"{module.path}.{entry.name}"
            owner = f"{module.path}.{entry.name.partition('.')[0]}"
            if owner not in found and (difference := compared(imported, entry)):
                found[full] = difference
        for name, value in module.values.items():
            ours = getattr(imported, name, MISSING)
            if ours != value:
                found[f"{module.path}.{name}"] = f"{ours!r} instead of {value!r}"
    return found


def importable(module: Any, name: str) -> bool:
    try:
        if hasattr(module, name):
            return True
        importlib.import_module(f"{module.__name__}.{name}")
    except ImportError:
        return False
    return True


def compared(module: Any, entry: Entry) -> str | None:
    """Return how our definition differs from 0.24's, or None."""
    ours: Any = module
    owner: Any = None
    for part in entry.name.split("."):
        owner, ours = ours, getattr(ours, part, None)
        if ours is None:
            return MISSING
    if entry.parameters is not None:
        actual = signature_of(ours, is_method=inspect.isclass(owner) and not is_static(owner, entry.name))
        if actual != entry.parameters:
            return f"{shown(actual)} instead of {shown(entry.parameters)}"
    if inspect.isfunction(ours) and inspect.iscoroutinefunction(ours) != entry.is_async:
        return "async" if not entry.is_async else "not async"
    return None


def is_static(owner: Any, name: str) -> bool:
    return isinstance(inspect.getattr_static(owner, name.rpartition(".")[2], None), staticmethod)


def signature_of(ours: Any, *, is_method: bool) -> list[tuple[str, Any]]:
    """Return our parameters in the same form; kinds that 0.24 never used become part of the name."""
    marks = {
        inspect.Parameter.POSITIONAL_OR_KEYWORD: "",
        inspect.Parameter.POSITIONAL_ONLY: "/",
        inspect.Parameter.KEYWORD_ONLY: "keyword-only ",
        inspect.Parameter.VAR_POSITIONAL: "*",
        inspect.Parameter.VAR_KEYWORD: "**",
    }
    parameters = list(inspect.signature(ours).parameters.values())
    if is_method:
        parameters = parameters[1:]
    return [(marks[parameter.kind] + parameter.name, parameter.default) for parameter in parameters]


def shown(parameters: list[tuple[str, Any]]) -> str:
    words = [
        name if default is inspect.Parameter.empty else f"{name}={default!r}" for name, default in parameters
    ]
    return f"({', '.join(words)})"


# -- docs/differences.md -----------------------------------------------------------------------------


def table_rows() -> Iterator[list[str]]:
    """Yield the rows of the table of names; its first heading is "Name in 0.24"."""
    inside = False
    for line in DIFFERENCES.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("| Name in 0.24"):
            inside = True
        elif not line.startswith("|"):
            inside = False
        elif inside and not set(line) <= set("|-: "):
            yield cells


def listed() -> list[str]:
    """Return the names in the table's first column; `*` stands for anything."""
    return [name for cells in table_rows() for name in re.findall(r"`([^`]+)`", cells[0])]


def matches(pattern: str, name: str) -> bool:
    return fnmatch.fnmatchcase(name, pattern)


def test_every_difference_is_listed_with_a_reason() -> None:
    unlisted = {
        name: difference
        for name, difference in differences().items()
        if not any(matches(pattern, name) for pattern in listed())
    }
    assert unlisted == {}


def test_every_listed_difference_is_one() -> None:
    names = differences()
    assert [pattern for pattern in listed() if not any(matches(pattern, name) for name in names)] == []


def test_no_difference_is_listed_twice() -> None:
    assert [name for name, times in Counter(listed()).items() if times > 1] == []


def test_every_row_says_what_and_why() -> None:
    rows = list(table_rows())
    assert rows
    for cells in rows:
        assert len(cells) == 3, cells
        assert all(cells), cells


def test_the_contract_is_complete() -> None:
    """Guards the reader of the file: as many modules and signatures as were transcribed."""
    modules = contract()
    assert len(modules) == len({module.path for module in modules}) == 106
    assert sum(len(module.names) for module in modules) > 470
    assert sum(len(module.entries) for module in modules) > 270
    by_path = {module.path: module for module in modules}
    entry = by_path["supertokens_py.recipe.userroles.asyncio"].entries[0]
    assert entry.parameters == [
        ("tenant_id", inspect.Parameter.empty),
        ("user_id", inspect.Parameter.empty),
        ("role", inspect.Parameter.empty),
        ("user_context", None),
    ]


# -- what signatures do not say ----------------------------------------------------------------------

TWINS = [
    f"supertokens_py.recipe.{recipe}"
    for recipe in (
        "session",
        "jwt",
        "openid",
        "userroles",
        "usermetadata",
        "multitenancy",
        "emailpassword",
        "emailverification",
        "passwordless",
        "thirdparty",
    )
]


@pytest.mark.parametrize("package", TWINS)
def test_every_async_function_has_a_blocking_twin(package: str) -> None:
    """Same names, same signatures; and nothing else."""
    theirs = {}
    for colour in ("asyncio", "syncio"):
        module = importlib.import_module(f"{package}.{colour}")
        theirs[colour] = {
            name: value
            for name, value in vars(module).items()
            if inspect.isfunction(value) and not name.startswith("_") and name in public_names(module)
        }
    assert theirs["asyncio"].keys() == theirs["syncio"].keys()
    for name, function in theirs["asyncio"].items():
        twin = theirs["syncio"][name]
        assert inspect.iscoroutinefunction(function)
        assert not inspect.iscoroutinefunction(twin)
        assert inspect.signature(twin) == inspect.signature(function)
        assert twin.__doc__ == function.__doc__


def public_names(module: Any) -> set[str]:
    """Return what a module offers: `__all__`, or what it defines itself (a twin counts as its function)."""
    if hasattr(module, "__all__"):
        return set(module.__all__)
    sources = (module.__name__, module.__name__.replace(".syncio", ".asyncio"))
    return {
        name
        for name, value in vars(module).items()
        if str(getattr(value, "__module__", "")).startswith(sources)
    }


def result_classes() -> Iterator[tuple[str, Entry]]:
    for module in contract():
        if not module.path.endswith((".interfaces", ".types")):
            continue
        for entry in module.entries:
            simple = "." not in entry.name and entry.name[0].isupper()
            if simple and entry.parameters is not None and entry.name != "SessionContainer":
                yield module.path, entry


@pytest.mark.parametrize(
    ("path", "entry"), [pytest.param(*pair, id=f"{pair[0]}.{pair[1].name}") for pair in result_classes()]
)
def test_results_keep_their_arguments(path: str, entry: Entry) -> None:
    """Each parameter is kept as an attribute of the same name; a missing class is listed above."""
    kind = getattr(importlib.import_module(path), entry.name, None)
    users = ("User", "ThirdPartyInfo")  # made by functions of the SDK; attributes are tested with them
    if kind is None or entry.name in ("SessionClaimValidator", "ClaimValidationResult", *users):
        assert kind is not None or any(matches(name, f"{path}.{entry.name}") for name in listed())
        return
    arguments = {name: f"the {name}" for name, _ in entry.parameters or ()}
    made = kind(**arguments)
    assert {name: getattr(made, name) for name in arguments} == arguments


LATER = (
    "supertokens_py.RecipeUserId",
    "supertokens_py.convert_to_recipe_user_id",
    "supertokens_py.is_recipe_initialized",
    "supertokens_py.framework.BaseRequest.get_json_or_form_data",
    "supertokens_py.framework.BaseResponse.redirect",
    "supertokens_py.recipe.jwt.JWTOverrideConfig",
    "supertokens_py.recipe.multitenancy.MultitenancyOverrideConfig",
    "supertokens_py.recipe.multitenancy.interfaces.TenantConfigCreateOrUpdate",
    "supertokens_py.recipe.openid.OpenIdOverrideConfig",
    "supertokens_py.recipe.session.SessionContainer.get_recipe_user_id",
    "supertokens_py.recipe.session.SessionOverrideConfig",
    "supertokens_py.recipe.session.TokenTransferMethod",
    "supertokens_py.recipe.usermetadata.UserMetadataOverrideConfig",
    "supertokens_py.recipe.userroles.UserRolesOverrideConfig",
    "supertokens_py.types.RecipeUserId",
    "supertokens_py.types.base.RecipeUserId",
    "supertokens_py.types.base.UserContext",
    "supertokens_py.types.response.APIResponse",
    "supertokens_py.types.response.GeneralErrorResponse",
)


@pytest.mark.parametrize("name", LATER)
def test_names_of_later_releases_are_there(name: str) -> None:
    parts = name.split(".")
    depth = next(depth for depth in range(len(parts), 0, -1) if importable_path(".".join(parts[:depth])))
    value: Any = importlib.import_module(".".join(parts[:depth]))
    for part in parts[depth:]:
        value = getattr(value, part)
    assert value is not None


def importable_path(path: str) -> bool:
    try:
        importlib.import_module(path)
    except ImportError:
        return False
    return True


def test_names_that_the_package_does_not_have() -> None:
    with pytest.raises(AttributeError, match=r"^module 'supertokens_py' has no attribute 'nonsense'$"):
        supertokens_py.nonsense  # noqa: B018
    assert dir(supertokens_py) == sorted(supertokens_py.__all__)


def test_what_a_submodule_lacks_is_no_missing_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever asks for an attribute that is a module learns what to install."""
    monkeypatch.delattr(supertokens_py, "signals")
    monkeypatch.delitem(sys.modules, "supertokens_py.signals")
    monkeypatch.setitem(sys.modules, "blinker", None)
    with pytest.raises(ModuleNotFoundError, match=r"^signals need: pip install blinker$"):
        supertokens_py.signals  # noqa: B018


def test_the_contract_of_adapters() -> None:
    """Adapters outside of this package import these names: one may be added, none may go."""
    from supertokens_py.framework import adapter, asgi, wsgi

    assert {*adapter.__all__} == {
        "ANSWERED",
        "AppBridge",
        "AuthenticationClaim",
        "BaseRequest",
        "BaseResponse",
        "Changes",
        "ConfigError",
        "EngineUnavailableError",
        "OverrideValidators",
        "FRESH_S",
        "PERSONAL",
        "SessionCheck",
        "SessionClaimValidator",
        "SessionContainer",
        "SuperTokensError",
        "SuperTokensSessionError",
        "answer_error",
        "answer_error_blocking",
        "answer_route",
        "answer_route_blocking",
        "api_domain",
        "base_path",
        "blocking",
        "are_revocations_watched",
        "close_engine",
        "closing_reason",
        "completed",
        "deliver",
        "deliver_at_once",
        "deliver_blocking",
        "finish",
        "finish_blocking",
        "flush",
        "form_fields",
        "impersonation_seconds_left",
        "initialise",
        "is_sdk_path",
        "keeps_sessions_in_a_file",
        "lend",
        "on_revoked",
        "open_engine",
        "refusal_reason",
        "refusal_statuses",
        "register",
        "require_noted",
        "requiring",
        "running_loop",
        "sdk_methods",
        "settle",
        "settle_blocking",
        "with_requirements",
    }
    assert {*asgi.__all__} == {
        "AsgiRequest",
        "Connection",
        "SuperTokensMiddleware",
        "close_of",
        "send_answer",
    }
    assert {*wsgi.__all__} == {"Environ", "SuperTokensMiddleware", "WsgiRequest", "wsgi_header"}


def test_a_recipe_user_id_is_text_with_an_accessor() -> None:
    from supertokens_py import RecipeUserId, convert_to_recipe_user_id

    made = convert_to_recipe_user_id("ada")
    assert isinstance(made, RecipeUserId)
    assert made == RecipeUserId(recipe_user_id="ada") == "ada"
    assert type(made.get_as_string()) is str


def test_override_classes_of_every_release_are_one() -> None:
    from supertokens_py.recipe import jwt, multitenancy, openid, session, usermetadata, userroles
    from supertokens_py.recipe.session import utils

    assert session.SessionOverrideConfig is session.InputOverrideConfig is utils.OverrideConfig
    assert openid.OpenIdOverrideConfig is openid.InputOverrideConfig
    assert jwt.JWTOverrideConfig is jwt.OverrideConfig
    assert userroles.UserRolesOverrideConfig is userroles.utils.InputOverrideConfig
    assert usermetadata.UserMetadataOverrideConfig is usermetadata.utils.InputOverrideConfig
    assert multitenancy.MultitenancyOverrideConfig is multitenancy.InputOverrideConfig
