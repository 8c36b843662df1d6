"""What methods and extensions there are, their options, and which go together, without loading torch.

The descriptions are asked once from a child process (``python -m clustlab.catalog``), which loads the method files,
and kept on disk under a digest of those files; the form in the app and the checks of the command line use them.
"""

from __future__ import annotations

import functools
import hashlib
import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, Literal

import platformdirs
from pydantic import ValidationError, create_model

from clustlab import discovery
from clustlab.errors import SpecError
from clustlab.runs.layout import write_aside
from clustlab.spec import Network, Part, RunSpec, Training, explain, option

__all__ = ["FAMILIES", "PARTS", "SCHEDULES", "check", "describe", "described", "families", "impossible", "used"]

SCHEDULES = ("both", "pre", "post")
"""When an extension can join, its default first: see ``extensions.base.JoinOptions``."""

PARTS: dict[str, type[Part]] = {"network": Network, "training": Training}
"""The parts of a spec that some methods use and others do not."""

ALWAYS = {"training": frozenset({"threads", "device"})}
"""Options of parts of a spec that make sense for methods that do not use the part."""

GROUPS = ("clustlab.methods", "clustlab.extensions")
"""Entry-point groups under which other packages register theirs."""

ROOMS = ("methods", "extensions", "networks", "objectives")
"""Folders whose files decide what methods offer."""

FAMILIES = {
    "baseline": "Baselines",
    "representation": "Representations, then clusters",
    "clustering": "Clustering autoencoders",
    "discriminative": "Discriminative clustering",
}
"""Families of methods and what they are called."""

TYPES: dict[str, type] = {"integer": int, "number": float, "boolean": bool, "string": str}


def describe() -> dict[str, dict[str, Any]]:
    """Return ``{"methods": {name: …}, "extensions": {name: …}}``; loads torch.

    Each entry has ``card`` and ``options`` (JSON schema properties with help, bounds, symbol, unit and default);
    extensions have ``needs``, and methods:

    ``class``, ``uses``
        The class's name; the parts of a spec (``training``), or single options of them (``training.batch_size``), that
        make a difference to it.
    ``phases``
        What it goes through with its default options, built on dummy data: ``name``, ``title``, ``stage``, ``offers``
        and ``trains`` (whether anything is trained).
    ``pretraining``
        A digest: methods that share it go through the same pretraining, bit for bit. Empty where there is none.
    ``joins``
        For each extension and schedule why it cannot join, empty where it can: ``{"acai": {"both": "", …}}``.
    ``joins_vary_with``
        Names of options that change these answers.
    """
    from clustlab import extensions, methods  # these load torch
    from clustlab.extensions.outline import outline

    def common(described: Any) -> dict[str, Any]:
        card = {**asdict(described.card), "symbols": dict(described.card.symbols)}
        return {"card": card, "options": described.Options.model_json_schema().get("properties", {})}

    joining = extensions.discover()
    content = {
        "methods": {
            name: {
                **common(method),
                "class": method.__name__,
                "uses": sorted(method.uses),
                **outline(method, joining, SCHEDULES),
            }
            for name, method in methods.discover().items()
        },
        "extensions": {
            name: {**common(extension), "needs": sorted(extension.needs)} for name, extension in joining.items()
        },
    }
    return dict(json.loads(json.dumps(content)))  # as it comes out of the cache: lists for tuples


@functools.cache
def described() -> dict[str, dict[str, Any]]:
    """Return :func:`describe`'s answer without loading torch here: from the cache on disk, else from a child process.

    Raises
    ------
    SpecError
        If the child process fails, e.g. because a method file cannot be imported.
    """
    cache = Path(platformdirs.user_cache_dir("clustlab")) / f"catalog-{_digest()}.json"
    if cache.is_file():
        return dict(json.loads(cache.read_text()))
    child = subprocess.run([sys.executable, "-m", "clustlab.catalog"], capture_output=True, text=True, check=False)
    if child.returncode:
        said = child.stderr.strip().splitlines() or ["the process ended without a word"]
        raise SpecError(f"the methods cannot be listed: {said[-1]}")
    try:
        cache.parent.mkdir(parents=True, exist_ok=True)
        write_aside(cache, lambda stream: stream.write(child.stdout.encode()))
    except OSError:
        pass  # a home that cannot be written costs a few seconds at each start, nothing else
    return dict(json.loads(child.stdout))


def families() -> dict[str, list[str]]:
    """Return the names of methods by family, told by what their phases train."""
    found: dict[str, list[str]] = {family: [] for family in FAMILIES}
    for name, entry in described()["methods"].items():
        found[_family(entry)].append(name)
    return found


def used(entry: Mapping[str, Any], part: str) -> list[str]:
    """Return which options of a part of the spec (``network``, ``training``) make a difference to a method.

    Parameters
    ----------
    entry : mapping
        The method's description.
    part : str
    """
    names = list(PARTS[part].model_fields)
    if part in entry["uses"]:
        return names
    return [name for name in names if f"{part}.{name}" in entry["uses"] or name in ALWAYS.get(part, ())]


def _family(entry: Mapping[str, Any]) -> str:
    clusters = any(phase["trains"] and phase["stage"] == "clustering" for phase in entry["phases"])
    if "network" in entry["uses"]:
        return "clustering" if clusters else "representation"
    return "discriminative" if clusters else "baseline"


def check(spec: RunSpec) -> None:
    """Refuse a spec whose method, extensions or options do not exist, are out of bounds or do not go together.

    Raises
    ------
    SpecError
        In one sentence that names what is allowed.
    """
    known = described()
    _check_options("method", spec.method, spec.options, known["methods"])
    for name, options in spec.extensions.items():
        _check_options("extension", name, options, known["extensions"])
    if reason := impossible(spec):
        raise SpecError(reason)
    _check_parts(spec, known["methods"][spec.method])


def impossible(spec: RunSpec) -> str:
    """Return in one sentence why the method and the extensions of a spec do not go together; empty if they do.

    Where an option was changed on which the answer depends, the worker has the last word.

    Raises
    ------
    SpecError
        If the method or an extension does not exist.
    """
    known = described()
    entry = discovery.find("method", spec.method, known["methods"])
    for name, given in spec.extensions.items():
        extension = discovery.find("extension", name, known["extensions"])
        schedule = given.get("schedule", extension["options"]["schedule"]["default"])
        reason = entry["joins"][name].get(schedule, "")
        options = entry["options"]
        changed = [each for each in entry["joins_vary_with"]
                   if spec.options.get(each, options[each]["default"]) != options[each]["default"]]  # fmt: skip
        if reason and not changed:
            return str(reason)
    return ""


def _check_parts(spec: RunSpec, entry: Mapping[str, Any]) -> None:
    """Refuse settings of parts that the method does not use: they would only seem to do something."""
    for part, kind in PARTS.items():
        given, untouched = getattr(spec, part).model_dump(), kind().model_dump()
        idle = [key for key in given if given[key] != untouched[key] and key not in used(entry, part)]
        if idle:
            title, lacks = entry["card"]["title"], _lacks(entry, part)
            raise SpecError(f"{title} {lacks}, so {part}.{idle[0]} would have no effect; leave it out")


def _lacks(entry: Mapping[str, Any], part: str) -> str:
    if part == "network":
        return "has no autoencoder" if _family(entry) == "discriminative" else "trains no network"
    return "has no pretraining" if "training.batch_size" in entry["uses"] else "has no training by mini-batches"


def _check_options(kind: str, name: str, given: Mapping[str, Any], known: Mapping[str, Any]) -> None:
    properties = discovery.find(kind, name, known)["options"]
    try:
        _model(name, json.dumps(properties)).model_validate(dict(given))
    except ValidationError as error:
        names = ", ".join(properties) or "none"
        raise SpecError(f"{name}: {explain(error)} (options of {name}: {names})") from error


@functools.lru_cache(maxsize=64)
def _model(name: str, properties: str) -> type[Part]:
    """Return a model that checks what the method's own ``Options`` would check."""
    fields: dict[str, Any] = {}
    for key, schema in json.loads(properties).items():
        kind = Literal[tuple(schema["enum"])] if "enum" in schema else TYPES[schema["type"]]
        fields[key] = (
            kind,
            option(
                schema["default"],
                help=schema.get("description", ""),
                low=schema.get("minimum"),
                high=schema.get("maximum"),
                above=schema.get("exclusiveMinimum"),
                pattern=schema.get("pattern"),
            ),
        )
    return create_model(name, __base__=Part, **fields)


def _digest() -> str:
    """Return a digest of all that the answer depends on: our source files and the registered plug-ins."""
    package = Path(__file__).parent
    rooms = [path for room in ROOMS for path in sorted((package / room).glob("*.py"))]
    content = hashlib.sha256(sys.version.encode())
    for path in [package / "spec.py", Path(__file__), *rooms]:
        content.update(path.read_bytes())
    for entry in [each for group in GROUPS for each in entry_points(group=group)]:
        content.update(f"{entry.name} {entry.value} {entry.dist and entry.dist.version}".encode())
    return content.hexdigest()[:16]


if __name__ == "__main__":
    sys.stdout.write(json.dumps(describe()))
