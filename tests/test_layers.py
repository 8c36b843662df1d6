"""Holds the table of rooms: what each may load, read from its imports and seen in a fresh interpreter."""

from __future__ import annotations

import ast
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "clustlab"

BACKEND = ("streamlit", "plotly", "clustlab.app", "clustlab.launch", "clustlab.figures", "clustlab.views")
PLAIN = ("torch", "streamlit", "plotly", "umap", "clustlab.app")

NEVER_LOADED: dict[str, tuple[str, ...]] = {
    "__init__": PLAIN,
    "__main__": PLAIN,
    "errors": PLAIN,
    "spec": PLAIN,
    "metrics": PLAIN,
    "readout": PLAIN,
    "runs": PLAIN,
    "data": (*PLAIN, "clustlab.runs"),
    "features": (*PLAIN, "transformers"),
    "networks": BACKEND,
    "objectives": BACKEND,
    "methods": (*BACKEND, "umap"),
    "extensions": BACKEND,
    "training": BACKEND,
    "inspection": ("streamlit", "clustlab.app"),
    "projections": ("torch", "streamlit", "clustlab.app", "clustlab.figures"),
    "figures": ("torch", "streamlit", "umap", "clustlab.runs", "clustlab.app"),
    "views": ("torch", "streamlit", "umap", "clustlab.app"),
    "sharing": ("torch", "streamlit", "umap", "clustlab.app"),
    "launch": PLAIN,
    "bench": PLAIN,
    "app": ("torch", "umap"),
    "lessons": ("torch", "umap"),
    "catalog": PLAIN,
    "discovery": PLAIN,
    "python": PLAIN,
    "cli": PLAIN,
    "estimators": ("streamlit", "plotly", "clustlab.app"),
}
"""What importing a room must not load, by name of module or package, everything inside included."""

NO_TORCH_INSIDE = {
    *("errors", "spec", "metrics", "readout", "runs", "data", "projections", "figures", "views", "sharing"),
    *("app", "lessons"),
}
"""Rooms that do not import torch inside a function either: what they need of a model, others ask for them."""

STREAMLIT_ROOMS = {"app", "lessons"}

SCRIPTS = ("clustlab.app.pages",)
"""Run by Streamlit, never imported; their imports are read all the same."""

SEE = """
import importlib, json, sys
loaded, unknown = {"python": list(sys.modules)}, []
for name in json.load(sys.stdin):
    before = set(sys.modules)
    module = importlib.import_module(name)
    loaded[name] = sorted(set(sys.modules) - before)
    unknown += [f"{name}.{public}" for public in getattr(module, "__all__", ()) if not hasattr(module, public)]
json.dump({"loaded": loaded, "unknown": unknown}, sys.stdout)
"""


def sources() -> list[Path]:
    return sorted(path for path in PACKAGE.rglob("*.py") if "__pycache__" not in path.parts)


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room(path: Path) -> str:
    """Return the first folder below the package, or the file that stands alone there."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


ROOMS = sorted({room(path) for path in sources()})


def imports(path: Path, inside_functions: bool) -> Iterator[str]:
    """Names of the modules that a file imports; what it imports for type checking only does not count."""

    def visit(node: ast.AST) -> Iterator[str]:
        match node:
            case ast.Import():
                yield from (alias.name for alias in node.names)
            case ast.ImportFrom():
                yield from (f"{node.module}.{alias.name}" for alias in node.names)
            case ast.If(test=ast.Name(id="TYPE_CHECKING")):
                for child in node.orelse:
                    yield from visit(child)
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.Lambda() if not inside_functions:
                return
            case _:
                for child in ast.iter_child_nodes(node):
                    yield from visit(child)

    yield from visit(ast.parse(path.read_text(encoding="utf-8")))


def within(name: str, forbidden: tuple[str, ...]) -> bool:
    return any(name == module or name.startswith(f"{module}.") for module in forbidden)


def test_every_room_has_a_row_in_the_table() -> None:
    assert set(ROOMS) <= set(NEVER_LOADED), "a new room: decide what it must never load"


@pytest.mark.parametrize("name", ROOMS)
def test_imports_keep_to_the_table(name: str) -> None:
    found = [
        f"{module_name(path)} imports {imported}"
        for path in sources()
        if room(path) == name
        for imported in imports(path, inside_functions=False)
        if within(imported, NEVER_LOADED[name])
    ]
    assert found == []


@pytest.mark.parametrize("name", ROOMS)
def test_nothing_hides_an_import_inside_a_function(name: str) -> None:
    forbidden = ("torch",) if name in NO_TORCH_INSIDE else ()
    forbidden += () if name in STREAMLIT_ROOMS else ("streamlit",)
    found = [
        f"{module_name(path)} imports {imported}"
        for path in sources()
        if room(path) == name
        for imported in imports(path, inside_functions=True)
        if within(imported, forbidden)
    ]
    assert found == []


def alike() -> list[list[str]]:
    """Rooms of which the same is asked; they can share an interpreter, as starting one takes seconds."""
    asked = dict.fromkeys(NEVER_LOADED[name] for name in ROOMS)
    return [[name for name in ROOMS if NEVER_LOADED[name] == forbidden] for forbidden in asked]


@pytest.mark.parametrize("rooms", alike(), ids="+".join)
def test_a_fresh_interpreter_loads_nothing_forbidden(rooms: list[str]) -> None:
    modules = [module_name(path) for path in sources() if room(path) in rooms and path.stem != "__main__"]
    importable = [module for module in modules if not within(module, SCRIPTS)]
    finished = subprocess.run(
        [sys.executable, "-c", SEE],
        input=json.dumps(importable),
        capture_output=True,
        text=True,
        cwd=PACKAGE.parent,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(PACKAGE.parent), *sys.path])},
    )
    assert finished.returncode == 0, finished.stderr
    seen = json.loads(finished.stdout)
    forbidden = NEVER_LOADED[rooms[0]]
    by = {name: module for module, loaded in seen["loaded"].items() for name in loaded if within(name, forbidden)}
    assert by == {}
    assert seen["unknown"] == [], "names in __all__ that do not exist"


def test_every_module_says_what_is_public() -> None:
    """Scripts, and packages that are nothing but their sign, have nothing to say."""
    silent = []
    for path in sources():
        text = path.read_text(encoding="utf-8")
        said = re.search(r"^__all__\b", text, re.MULTILINE) or len(ast.parse(text).body) == 1
        if not said and path.stem != "__main__" and not within(module_name(path), SCRIPTS):
            silent.append(module_name(path))
    assert silent == []


@pytest.mark.parametrize("path", sources(), ids=module_name)
def test_files_fit_on_a_few_screens(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 450


def test_packages_say_what_lives_in_them() -> None:
    silent = [
        module_name(path)
        for path in sources()
        if path.name == "__init__.py"
        and len(ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or "") < 100
    ]
    assert silent == []


def test_one_training_loop() -> None:
    """Only the trainer differentiates: a method that calls ``backward`` has begun a second loop.

    The bare loops that ``clustlab bench speed`` compares it with are second ones on purpose.
    """
    callers = [
        module_name(path)
        for path in sources()
        if room(path) != "training" and module_name(path) != "clustlab.bench.speed.bare_loop"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute) and node.attr == "backward"
    ]
    assert callers == []
