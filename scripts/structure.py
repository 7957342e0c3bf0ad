"""Checks the structure of the package: circles of imports, sizes, what adapters and tests know of its inside.

Also what no linter looks for: digits that are not ASCII's.

    python scripts/structure.py             part of scripts/check
    python scripts/structure.py --figures   prints the figures instead

Every import counts: of a module's body, inside functions, and under TYPE_CHECKING. The limits and their
exceptions are in pyproject.toml under [tool.structure]; an exception that is no longer needed fails, so that
the list only shrinks.
"""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = "supertokens_py"
#: What the contract of adapters is made of; the rest of the folder are adapters.
CORE_OF_FRAMEWORK = ("adapter", "cookies", "request", "request_registry", "response", "web_settings")

#: Front ends of the command line, and pages, which frameworks look for below their adapters. They call what
#: applications call.
FRONT_ENDS = ("django.admin", "django.management.commands.supertokens", "flask.commands")

#: What takes the digits of every script for digits; the module of numbers knows how to use it.
ANY_DIGITS = ("isdecimal", "isdigit", "isnumeric")
NUMBERS = f"{PACKAGE}.types.numbers"

#: Names of the standard library that are public in spite of their underscore.
DOCUMENTED = frozenset({"_asdict", "_exit", "_fields", "_replace"})


@dataclass(frozen=True, slots=True)
class Module:
    """One parsed module of the package."""

    name: str
    tree: ast.Module
    lines: int
    is_package: bool

    @property
    def package(self) -> str:
        """The package that relative imports start from."""
        return self.name if self.is_package else self.name.rpartition(".")[0]


def read_modules(folder: Path) -> dict[str, Module]:
    """Return every module below a package folder by its dotted name."""
    found: dict[str, Module] = {}
    for file in sorted(folder.rglob("*.py")):
        parts = file.relative_to(folder.parent).with_suffix("").parts
        is_package = parts[-1] == "__init__"
        name = ".".join(parts[:-1] if is_package else parts)
        text = file.read_text(encoding="utf-8")
        found[name] = Module(name, ast.parse(text), len(text.splitlines()), is_package)
    return found


def imports_of(module: Module, known: dict[str, Module]) -> set[str]:
    """Return the names of the package's modules that a module imports."""
    found: set[str] = set()
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names if alias.name in known}
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                above = module.package.split(".")
                above = above[: len(above) - node.level + 1]
                base = ".".join([*above, base] if base else above)
            for alias in node.names:
                inner = f"{base}.{alias.name}"
                found |= {inner} if inner in known else {base} & known.keys()
    return found - {module.name}


def beyond_the_contract(known: dict[str, Module]) -> list[str]:
    """Return which adapters import more of the package than their contract, all that others have."""
    beside = {f"{PACKAGE}.framework.{name}" for name in CORE_OF_FRAMEWORK}
    adapters = {name for name in known if name.startswith(f"{PACKAGE}.framework.")} - beside
    allowed = tuple(f"{PACKAGE}.{name}." for name in ("framework", "events", "exceptions", "types"))
    adapters -= {f"{PACKAGE}.framework.{name}" for name in FRONT_ENDS}
    return [
        f"an adapter knows the core by more than its contract: {name} imports {other}"
        for name in sorted(adapters)
        for other in sorted(imports_of(known[name], known))
        if not f"{other}.".startswith(allowed)
    ]


def digits_of_any_script(known: dict[str, Module]) -> list[str]:
    """Return where a pattern or a check takes other digits for numbers than 0 to 9."""
    return [
        f"digits of every script: {name}:{node.lineno} ([0-9] and whole_number take those of ASCII)"
        for name, module in known.items()
        for node in ast.walk(module.tree)
        if (isinstance(node, ast.Constant) and isinstance(node.value, str) and "\\d" in node.value)
        or (isinstance(node, ast.Attribute) and node.attr in ANY_DIGITS and name != NUMBERS)
    ]


def circles_of(graph: dict[str, set[str]]) -> list[list[str]]:
    """Return the circles of imports, largest first: each module of one reaches each other module of it."""

    def reach(start: str) -> set[str]:
        seen: set[str] = set()
        stack = [start]
        while stack:
            for other in graph[stack.pop()] - seen:
                seen.add(other)
                stack.append(other)
        return seen

    try:
        tuple(TopologicalSorter(graph).static_order())
    except CycleError:
        pass
    else:
        return []
    reachable = {name: reach(name) for name in graph}
    groups = {frozenset(b for b in reachable[a] if a in reachable[b]) for a in graph if a in reachable[a]}
    return sorted((sorted(group) for group in groups), key=lambda group: (-len(group), group))


def functions_of(module: Module) -> Iterator[tuple[str, int]]:
    """Yield the qualified name and the number of lines of every function of a module."""

    def visit(node: ast.AST, prefix: str) -> Iterator[tuple[str, int]]:
        for child in ast.iter_child_nodes(node):
            inner = prefix
            if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                inner = f"{prefix}.{child.name}"
                if not isinstance(child, ast.ClassDef):
                    yield inner, (child.end_lineno or child.lineno) - child.lineno + 1
            yield from visit(child, inner)

    return visit(module.tree, module.name)


def private_accesses(folder: Path) -> list[str]:
    """Return where tests read a private attribute of another object, or import a private name."""
    found: list[str] = []
    for file in sorted(folder.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Attribute) and is_private(node.attr):
                own = isinstance(node.value, ast.Name) and node.value.id in ("self", "cls")
                names = [] if own else [node.attr]
            elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith(PACKAGE):
                names = [alias.name for alias in node.names if is_private(alias.name)]
            else:
                continue
            found += [f"{file.relative_to(ROOT)}:{node.lineno} {name}" for name in names]
    return found


def is_private(name: str) -> bool:
    """Return whether a name begins with one underscore and is not documented for everybody's use."""
    return name.startswith("_") and not name.startswith("__") and name not in DOCUMENTED | {"_"}


def violations(limits: dict[str, Any], known: dict[str, Module], private: list[str]) -> list[str]:
    """Return what exceeds a limit, and which exceptions are no longer needed."""
    circles = circles_of({name: imports_of(module, known) for name, module in known.items()})
    found = [f"circle of imports: {', '.join(one)}" for one in circles if one not in limits["circles"]]
    found += [f"no longer a circle: {', '.join(one)}" for one in limits["circles"] if one not in circles]
    found += beyond_the_contract(known) + digits_of_any_script(known)
    sizes = {
        "module": {name: module.lines for name, module in known.items()},
        "function": {name: lines for module in known.values() for name, lines in functions_of(module)},
    }
    for kind, lines_of in sizes.items():
        limit, excepted = limits[f"{kind}_lines"], set(limits[f"long_{kind}s"])
        long = {name for name, lines in lines_of.items() if lines > limit}
        found += [f"{kind} of over {limit} lines: {name}" for name in sorted(long - excepted)]
        found += [f"no longer too long: {name}" for name in sorted(excepted - long)]
    if len(private) > limits["private_accesses"]:
        found.append(f"tests use {len(private)} private names, {limits['private_accesses']} are allowed:")
        found += [f"  {place}" for place in private]
    return found


def figures(known: dict[str, Module], private: list[str]) -> list[str]:
    """Return the figures that the limits are about, a line each."""
    circles = circles_of({name: imports_of(module, known) for name, module in known.items()})
    longest = max(lines for module in known.values() for _, lines in functions_of(module))
    return [
        f"modules: {len(known)}",
        f"lines: {sum(module.lines for module in known.values())}",
        f"circles: {[len(circle) for circle in circles]}",
        f"longest module: {max(module.lines for module in known.values())}",
        f"longest function: {longest}",
        f"private names used by tests: {len(private)}",
    ]


def main() -> int:
    """Print what exceeds a limit, or the figures; return the exit status."""
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    known = read_modules(ROOT / PACKAGE)
    private = private_accesses(ROOT / "tests")
    if "--figures" in sys.argv[1:]:
        print("\n".join(figures(known, private)))
        return 0
    found = violations(settings["tool"]["structure"], known, private)
    print("\n".join(found) or "The structure is within its limits.")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
