"""The code that makes a run again, in Python and on the command line, with those settings that are not defaults."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from clustlab.data.files import is_path
from clustlab.spec import Network, Parent, Part, Recording, RunSpec, Training

__all__ = ["arguments_of", "command_of", "python_of", "settings_of", "without_folders"]

PARTS: dict[str, Part] = {"network": Network(), "training": Training(), "recording": Recording()}
"""The parts of a spec as they are by default."""

ALWAYS = {"training": ("threads",)}
"""Settings whose default is another one on another machine, and which decide the last bits."""

WIDTH = 100
"""Characters that a call may take on one line."""


def arguments_of(spec: RunSpec) -> dict[str, Any]:
    """Return the arguments with which :func:`clustlab.train` makes a run of this spec; defaults are left out.

    Parameters
    ----------
    spec : RunSpec
        The spec of a run that is no fork, or of a fork that would have had the same past on its own.

    Returns
    -------
    dict of str to object
        ``method`` first; ``data`` and ``seed`` are there even where they are the default.
    """
    settings = [
        f"{part}.{name}={_setting(value)}" for part, fields in _parts(spec).items() for name, value in fields.items()
    ]
    joined: Any = dict(spec.extensions)
    if not any(joined.values()):
        joined = list(joined)
    given = {"extensions": joined, "n_clusters": spec.n_clusters, "options": dict(spec.options), "settings": settings}
    found = {"method": spec.method, "data": spec.data, "seed": spec.seed}
    return found | {name: value for name, value in given.items() if value not in (None, [], {})}


def python_of(spec: RunSpec) -> str:
    """Return Python that makes a run of this spec again; a fork begins with the run from which it goes on."""
    if spec.parent and not spec.parent.alike:
        return _fork_in_python(spec, spec.parent)
    arguments = arguments_of(spec)
    method = arguments.pop("method")
    return f"import clustlab as cl\n\nrun = {_call('cl.train', [_literal(method)], arguments)}\n"


def command_of(spec: RunSpec, parent: RunSpec | None = None) -> str:
    """Return the command line that makes a run of this spec again.

    Parameters
    ----------
    spec : RunSpec
        The spec.
    parent : RunSpec, optional
        For a fork, the spec of the run from which it goes on.

    Returns
    -------
    str
        Empty for a fork whose parent is not known, or which lacks a setting that its parent has.
    """
    if spec.parent and not spec.parent.alike:
        return "" if parent is None else _fork_command(spec, spec.parent, parent)
    words = ["clustlab", "train", spec.method, "--data", spec.data, "--seed", str(spec.seed)]
    if spec.n_clusters is not None:
        words += ["--n-clusters", str(spec.n_clusters)]
    for name in spec.extensions:
        words += ["--extension", name]
    return _command(words, settings_of(spec))


def settings_of(spec: RunSpec) -> dict[str, Any]:
    """Return the settings that are not the default ones, by the names that ``--set`` takes."""
    return _leaves(_fields(spec))


def without_folders(spec: RunSpec) -> RunSpec:
    """Return a spec whose data, where they are a file, are named without the folders of the computer they lie on."""
    if not is_path(spec.data):
        return spec
    place, mark, options = spec.data.partition("?")
    return spec.model_copy(update={"data": f"{Path(place.replace(chr(92), '/')).name}{mark}{options}"})


def _parts(spec: RunSpec) -> dict[str, dict[str, Any]]:
    """Return the settings of the spec's parts that are not the default ones, part by part."""
    found: dict[str, dict[str, Any]] = {}
    for part, untouched in PARTS.items():
        default, given = untouched.model_dump(), getattr(spec, part).model_dump()
        told = {name: value for name, value in given.items() if value != default[name] or name in ALWAYS.get(part, ())}
        if told:
            found[part] = told
    return found


def _fields(spec: RunSpec) -> dict[str, Any]:
    """Return the spec as a mapping that :meth:`RunSpec.parse` reads, defaults left out."""
    arguments = arguments_of(spec)
    arguments.pop("settings", None)
    return arguments | _parts(spec)


def _fork_in_python(spec: RunSpec, origin: Parent) -> str:
    lines = [
        "import clustlab as cl",
        "from clustlab import launch",
        "",
        "# the run from which this one goes on, in the folder where it lies",
        f"parent = cl.open_run({_literal(f'runs/{origin.run}')})",
        f"spec = cl.RunSpec.parse({_literal(_fields(spec))})",
        f"run = launch.fork(parent, spec, step={origin.step})",
        'launch.ENGINES["inline"](run.folder.path)',
    ]
    return "\n".join(lines) + "\n"


def _fork_command(spec: RunSpec, origin: Parent, parent: RunSpec) -> str:
    words = ["clustlab", "fork", origin.run, "--step", str(origin.step)]
    base = parent.model_dump(exclude={"parent"})
    if spec.method != parent.method:
        words += ["--method", spec.method]
        base |= {"method": spec.method, "options": {}}
    if list(spec.extensions) != list(parent.extensions):
        for name in spec.extensions or ["none"]:
            words += ["--extension", name]
        base["extensions"] = {name: base["extensions"].get(name, {}) for name in spec.extensions}
    wanted, there = _leaves(spec.model_dump(exclude={"parent"})), _leaves(base)
    if there.keys() - wanted.keys():
        return ""  # a setting can be changed on the command line, not taken away
    return _command(words, {name: value for name, value in wanted.items() if there.get(name, ...) != value})


def _leaves(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``--set`` can say of a spec, as its names: ``cluster_weight``, ``training.epochs``."""
    found = dict(fields.get("options", {}))
    joined = fields.get("extensions", {})
    for name, options in joined.items() if isinstance(joined, Mapping) else ():
        found |= {f"extensions.{name}.{key}": value for key, value in options.items()}
    for part in PARTS:
        found |= {f"{part}.{key}": value for key, value in fields.get(part, {}).items()}
    return found


def _command(words: list[str], settings: Mapping[str, Any]) -> str:
    told = [f"--set {shlex.quote(f'{name}={_setting(value)}')}" for name, value in settings.items()]
    return " ".join([*(shlex.quote(word) for word in words), *told])


def _setting(value: Any) -> str:
    """Return a value as ``name=value`` gives it back: as JSON, but texts that are no JSON as they are."""
    if not isinstance(value, str):
        return json.dumps(value)
    try:
        json.loads(value)
    except json.JSONDecodeError:
        return value
    return json.dumps(value)


def _call(name: str, plain: list[str], named: Mapping[str, Any]) -> str:
    arguments = [*plain, *(f"{key}={_literal(value)}" for key, value in named.items())]
    line = f"{name}({', '.join(arguments)})"
    return line if len(line) <= WIDTH else f"{name}(\n" + "".join(f"    {each},\n" for each in arguments) + ")"


def _literal(value: Any) -> str:
    """Return a value as Python that gives it, with the quotation marks that formatters like."""
    if isinstance(value, str):
        return json.dumps(value, ensure_ascii=False)
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_literal(key)}: {_literal(entry)}" for key, entry in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_literal, value)) + "]"
    return repr(value)
