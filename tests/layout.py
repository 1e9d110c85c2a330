"""The rules of the architecture that a machine can hold: each takes a file and says what is wrong in it."""

import ast
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[1]
OURS = ("contracts", "messaging", "policies", "services", "operations", "simulation")
FORBIDDEN_IMPORTS = {
    "contracts": {"messaging", "policies", "services", "operations", "simulation"},
    "messaging": {"policies", "services", "operations", "simulation"},
    "policies": {"messaging", "services", "operations", "simulation"},
    "services": {"operations", "simulation"},
    "simulation": {"services"},
    "operations": set(),
}
SERVICE_FILES = {"__init__.py", "app.py", "api.py", "handlers.py", "jobs.py", "domain.py", "store.py"}
# Every other file of a service is pure; a channel sends, a vault draws a nonce. Split files keep the ending.
WITH_EFFECTS = ("__init__.py", "app.py", "api.py", "handlers.py", "jobs.py", "store.py", "channels.py", "vault.py")
PURE_LIBRARIES = {"cryptography", "lokal", "numpy", "ortools", "pydantic"}
IMPURE_MODULES = {"asyncio", "logging", "os", "random", "secrets", "socket", "subprocess", "threading", "time"}
IMPURE_CALLS = {"now", "today", "utcnow", "uuid1", "uuid4"}
READS_THE_ENVIRONMENT = {"messaging/settings.py", "operations/environment.py"}
BROAD_NAMES = {"base", "common", "core", "helper", "helpers", "manager", "misc", "shared", "tools", "util", "utils"}
LINES = 300
REASON = "Longer than 300 lines because"
SQL = re.compile(
    r"\s*(select\s.*\sfrom\s|insert\s+into\s|update\s+\w+\s+set\s|delete\s+from\s|with\s+\w+\s+as\s*\(|(create|alter|drop)\s+table\s)",
    re.IGNORECASE | re.DOTALL,
)
EVERY_COLUMN = re.compile(r"\bselect\s+(\w+\.)?\*(?!\s+from\s+unnest)", re.IGNORECASE)  # unnest names its own


@dataclass(frozen=True)
class Source:
    """A Python file of ours; `path` is relative to the project."""

    path: PurePosixPath
    text: str
    tree: ast.Module

    @property
    def package(self) -> str:
        return self.path.parts[0]

    @property
    def service(self) -> str | None:
        return self.path.parts[1] if self.package == "services" and len(self.path.parts) > 2 else None

    @property
    def holds_sql(self) -> bool:
        return self.package == "messaging" or self.path.name.endswith("store.py")


Rule = Callable[[Source], Iterator[str]]


def source(path: str, text: str) -> Source:
    return Source(PurePosixPath(path), text, ast.parse(text))


@cache
def sources() -> tuple[Source, ...]:
    """Every Python file of the product; tests are free."""
    paths = [path for package in OURS for path in sorted((ROOT / package).rglob("*.py"))]
    return tuple(source(path.relative_to(ROOT).as_posix(), path.read_text("utf-8")) for path in paths)


def imports_go_one_way(file: Source) -> Iterator[str]:
    for module in _imported(file):
        top, _, rest = module.partition(".")
        if top in FORBIDDEN_IMPORTS[file.package]:
            yield f"{file.package} imports {top}"
        if file.service and top == "services" and rest.partition(".")[0] != file.service:
            yield f"one service imports another: {module}"


def contracts_need_only_pydantic(file: Source) -> Iterator[str]:
    if file.package == "contracts":
        allowed = sys.stdlib_module_names | {"contracts", "pydantic", "pydantic_core"}
        yield from (f"contracts import {name}" for name in _imported(file) if name.split(".")[0] not in allowed)


def domain_files_are_pure(file: Source) -> Iterator[str]:
    if not _is_domain(file):
        return
    allowed = (sys.stdlib_module_names - IMPURE_MODULES) | PURE_LIBRARIES | {"contracts", "policies", "services"}
    yield from (f"a domain file imports {name}" for name in _imported(file) if name.split(".")[0] not in allowed)
    for node in ast.walk(file.tree):
        if isinstance(node, ast.AsyncFunctionDef | ast.Await):
            yield f"a domain file awaits, line {node.lineno}"
        if isinstance(node, ast.Call) and _last_name(node.func) in IMPURE_CALLS:
            yield f"a domain file asks for {_last_name(node.func)}(), line {node.lineno}"


def sql_stays_in_stores(file: Source) -> Iterator[str]:
    if file.holds_sql:
        return
    yield from (f"imports {name} outside a store" for name in _imported(file) if name.split(".")[0] == "asyncpg")
    yield from (f"SQL outside a store, line {text.lineno}" for text in _texts(file) if SQL.match(str(text.value)))


def sql_is_not_built(file: Source) -> Iterator[str]:
    for node in ast.walk(file.tree):
        parts: Sequence[ast.expr] = ()
        if isinstance(node, ast.JoinedStr):
            parts = node.values if any(isinstance(value, ast.FormattedValue) for value in node.values) else ()
        elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
            parts = (node.left, node.right)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
            parts = (node.func.value,)
        if any(isinstance(part, ast.Constant) and SQL.match(f"{part.value!s} ") for part in parts):
            yield f"SQL is built from parts, line {getattr(node, 'lineno', 0)}"


def columns_are_named(file: Source) -> Iterator[str]:
    yield from (f"select *, line {text.lineno}" for text in _texts(file) if EVERY_COLUMN.search(str(text.value)))


def the_environment_is_read_in_one_place(file: Source) -> Iterator[str]:
    if str(file.path) in READS_THE_ENVIRONMENT:
        return
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Attribute | ast.Name) and _last_name(node) in {"environ", "getenv"}:
            yield f"reads the environment, line {node.lineno}"
    yield from ("reads the environment" for name in _imported(file) if name in {"os.environ", "os.getenv"})


def files_are_short(file: Source) -> Iterator[str]:
    lines = len(file.text.splitlines())
    if lines > LINES and REASON not in (ast.get_docstring(file.tree) or ""):
        yield f"{lines} lines; split it by subject, or say '{REASON} ...' at its top"


def handlers_are_named_after_events(file: Source) -> Iterator[str]:
    if file.service and file.path.name.endswith("handlers.py"):
        for node in file.tree.body:
            if isinstance(node, ast.AsyncFunctionDef) and not node.name.startswith(("on_", "_")):
                yield f"{node.name} is no handler: on_<event>"


def names_say_what_is_inside(file: Source) -> Iterator[str]:
    yield from (f"{part} says nothing" for part in file.path.with_suffix("").parts if part.lower() in BROAD_NAMES)


def only_messaging_catches_everything(file: Source) -> Iterator[str]:
    """It runs the handlers of others; anyone else catches what can be acted on, or raises it again."""
    for node in ast.walk(file.tree):
        if not isinstance(node, ast.ExceptHandler) or file.package == "messaging":
            continue
        caught = node.type.elts if isinstance(node.type, ast.Tuple) else [node.type]
        broad = any(name is None or _last_name(name) in {"Exception", "BaseException"} for name in caught)
        last = node.body[-1]
        if broad and not (isinstance(last, ast.Raise) and last.exc is None):
            yield f"catches everything, line {node.lineno}"


RULES: tuple[Rule, ...] = (
    imports_go_one_way,
    contracts_need_only_pydantic,
    domain_files_are_pure,
    sql_stays_in_stores,
    sql_is_not_built,
    columns_are_named,
    the_environment_is_read_in_one_place,
    files_are_short,
    handlers_are_named_after_events,
    names_say_what_is_inside,
    only_messaging_catches_everything,
)


def _is_domain(file: Source) -> bool:
    return file.service is not None and not file.path.name.endswith(WITH_EFFECTS)


def _imported(file: Source) -> list[str]:
    """Full names of all that a file imports: `os.environ` for `from os import environ`."""
    names: list[str] = []
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            here = ".".join(file.path.parts[: -node.level]) + "." if node.level else ""
            names += [f"{here}{node.module or ''}.{alias.name}" for alias in node.names]
    return names


def _texts(file: Source) -> Iterator[ast.Constant]:
    """String literals, but for docstrings."""
    documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    prose = {
        id(node.body[0].value)
        for node in ast.walk(file.tree)
        if isinstance(node, documented) and node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(file.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node


def _last_name(node: ast.expr) -> str | None:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else None
