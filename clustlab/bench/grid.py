"""What a benchmark consists of: the cells of a grid, each with the spec of its run or the reason why it has none."""

from __future__ import annotations

import functools
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from clustlab import catalog, discovery
from clustlab.data import Dataset, load
from clustlab.data.files import absolute, is_path
from clustlab.errors import SpecError
from clustlab.launch.submit import check
from clustlab.spec import RunSpec, with_settings

__all__ = ["NONE", "Cell", "Grid", "beginning", "cells", "dataset", "extension_sets", "meaning", "seeds"]

NONE = "none"
"""How one writes the empty set of extensions."""

ALL = "all"
"""How one asks for every method there is."""

MOST_SEEDS = 1000
"""Seeds of a table, at most."""


@dataclass(frozen=True)
class Grid:
    """What is crossed with what, and with which settings.

    Attributes
    ----------
    methods, data : tuple of str
        Names; data may be paths of files.
    extension_sets : tuple of tuple of str
        Sets of extensions that join together; the empty one is the method alone.
    seeds : tuple of int
    n_clusters : int, optional
        Clusters to look for; without it as many as the data has classes.
    settings : tuple of str
        ``name=value`` as for ``clustlab train``, or ``method.name=value`` for one method. Each goes to the cells that
        it concerns: an option to the methods that have it, an extension's to the cells which that one joins.
    """

    methods: tuple[str, ...]
    data: tuple[str, ...] = ("digits",)
    extension_sets: tuple[tuple[str, ...], ...] = ((),)
    seeds: tuple[int, ...] = (0,)
    n_clusters: int | None = None
    settings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Cell:
    """One cell: ``spec`` of its run, or ``reason`` why there can be none."""

    method: str
    extensions: tuple[str, ...]
    data: str
    seed: int
    spec: RunSpec | None
    reason: str = ""


def cells(grid: Grid) -> list[Cell]:
    """Return the cells in the order of the table; combinations that cannot be have a reason instead of a spec.

    Raises
    ------
    SpecError, DataError
        If a name does not exist, or a setting concerns no cell or is not possible.
    """
    dataset.cache_clear()  # files may have been written anew since an earlier table
    known = catalog.described()
    methods = tuple(known["methods"]) if ALL in grid.methods else tuple(dict.fromkeys(grid.methods))
    _check_names(grid, methods, known)
    sources = dict.fromkeys(map(_absolute, grid.data))
    crossed = list(itertools.product(methods, sources, grid.extension_sets, grid.seeds))
    concerned: set[str] = set()
    found = []
    for method, data, extensions, seed in crossed:
        settings = [each for each in grid.settings if _concerns(each, method, extensions, known)]
        concerned.update(settings)
        content: dict[str, Any] = {"method": method, "data": data, "n_clusters": grid.n_clusters}
        # Bits depend on the number of threads, and its default on the machine: a table states it.
        content |= {"extensions": list(extensions), "seed": seed, "training": {"threads": 1}}
        spec = with_settings(RunSpec.parse(content), [_own(each, method) for each in settings])
        found.append(_cell(spec, data, extensions))
    if idle := [each for each in grid.settings if each not in concerned]:
        raise SpecError(f"the setting “{idle[0]}” concerns no cell of the table; leave it out, or correct its name")
    return found


def meaning(spec: RunSpec) -> tuple[Any, ...]:
    """Return what decides the outcome of a run: two specs of equal meaning describe the same run.

    Options that are left out count as given at their default; what is recorded changes nothing that is learned.

    Raises
    ------
    SpecError, DataError
        If the spec names a method, extension or data set that is not there.
    """
    known = catalog.described()
    options = _completed(spec.options, "method", spec.method, known["methods"])
    joined = [(name, _completed(given, "extension", name, known["extensions"]))
              for name, given in spec.extensions.items()]  # fmt: skip
    n_clusters = spec.n_clusters or dataset(spec.data).n_classes
    return spec.method, spec.data, spec.seed, n_clusters, options, joined, spec.network, spec.training


def beginning(spec: RunSpec) -> tuple[Any, ...] | None:
    """Return what decides how a run begins: those of equal beginning do not differ until their pretraining ends.

    None where there is no pretraining.

    Raises
    ------
    SpecError, DataError
        As :func:`meaning`.
    """
    pretraining = catalog.described()["methods"][spec.method]["pretraining"]
    if not pretraining:
        return None
    _, data, seed, n_clusters, options, joined, network, training = meaning(spec)
    # The catalog knows of pretraining with default options; what is changed may change it.
    defaults = _completed({}, "method", spec.method, catalog.described()["methods"])
    changed = {name: value for name, value in options.items() if value != defaults.get(name)}
    return pretraining, data, seed, n_clusters, changed, joined, network, training, spec.recording.probe


def seeds(text: str) -> tuple[int, ...]:
    """Return the seeds that a text asks for: ``5`` is 0 … 4, ``0,3,7`` are these three, ``7,`` is seed 7 alone.

    Raises
    ------
    SpecError
        If it is neither a number nor a list of numbers.
    """
    try:
        numbers = [int(part) for part in text.split(",") if part.strip()]
    except ValueError:
        raise SpecError(f"“{text}” asks for no seeds; write how many, as 5, or which ones, as 0,3,7") from None
    if max(numbers, default=0) > MOST_SEEDS and "," not in text:
        raise SpecError(f"{numbers[0]} seeds are too many; there may be {MOST_SEEDS} at most")
    found = tuple(dict.fromkeys(numbers)) if "," in text else tuple(range(numbers[0] if numbers else 0))
    if not found or min(found) < 0:
        raise SpecError(f"“{text}” asks for no seeds; write how many, as 5, or which ones, as 0,3,7")
    return found


def extension_sets(text: str) -> tuple[tuple[str, ...], ...]:
    """Return the sets that a text asks for: ``none,acai,acai+mixing-consistency`` are three."""
    sets = [tuple(dict.fromkeys(map(str.strip, part.split("+")))) for part in text.split(",") if part.strip()]
    return tuple(dict.fromkeys(() if each == (NONE,) else each for each in sets)) or ((),)


def _check_names(grid: Grid, methods: Iterable[str], known: dict[str, dict[str, Any]]) -> None:
    for method in methods:
        discovery.find("method", method, known["methods"])
    for name in itertools.chain.from_iterable(grid.extension_sets):
        discovery.find("extension", name, known["extensions"])
    for data in grid.data:
        dataset(_absolute(data))


def _cell(spec: RunSpec, data: str, extensions: Sequence[str]) -> Cell:
    given = (spec.method, tuple(extensions), data, spec.seed)
    if reason := catalog.impossible(spec):
        return Cell(*given, None, reason)
    check(spec, dataset(spec.data))
    return Cell(*given, spec)


def _absolute(data: str) -> str:
    return absolute(data) if is_path(data) else data


@functools.lru_cache(maxsize=8)
def dataset(data: str) -> Dataset:
    """Return a data set, loaded once a table.

    Raises
    ------
    DataError
        As :func:`clustlab.data.load`.
    """
    return load(data)


def _completed(given: dict[str, Any], kind: str, name: str, known: dict[str, Any]) -> dict[str, Any]:
    return {key: schema["default"] for key, schema in discovery.find(kind, name, known)["options"].items()} | given


def _concerns(setting: str, method: str, extensions: Sequence[str], known: dict[str, dict[str, Any]]) -> bool:
    """Return whether a setting concerns a cell; what is no setting at all is left to be refused by the spec."""
    name = setting.partition("=")[0]
    first, dot, rest = name.partition(".")
    entry = known["methods"][method]
    if not dot:
        return name in entry["options"] or "=" not in setting
    if first in known["methods"]:
        return first == method
    if first in catalog.PARTS:
        return rest in catalog.used(entry, first)
    if first == "extensions":
        return rest.partition(".")[0] in extensions
    return True


def _own(setting: str, method: str) -> str:
    """``idec.cluster_weight=1`` is the setting ``cluster_weight=1`` of IDEC."""
    return setting.removeprefix(f"{method}.")
