"""What a method goes through and where extensions can join, found out by building it on dummy data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch

from clustlab.errors import SpecError
from clustlab.extensions.base import Extension, join
from clustlab.methods.base import Method, Phase, Samples
from clustlab.spec import Network, RunSpec

__all__ = ["outline"]

SHAPE, N_SAMPLES, N_CLUSTERS = (8, 8), 64, 3
"""Dummy data: small images, which every kind of network takes."""


def outline(
    method: type[Method], extensions: Mapping[str, type[Extension]], schedules: Sequence[str]
) -> dict[str, list[dict[str, Any]] | dict[str, dict[str, str]] | list[str]]:
    """Return ``phases``, ``joins`` and ``joins_vary_with`` of a method; see :func:`clustlab.catalog.describe`."""
    built = _phases(method, {})
    if "network" not in method.uses:
        idle = f"{method.card.title} trains no network, so there is nothing for an extension to join"
        return {
            "phases": [_described(phase) for phase in built],
            "joins": {name: dict.fromkeys(schedules, idle) for name in extensions},
            "joins_vary_with": [],
        }
    joins = _joins(built, extensions, schedules)
    vary = [name for name, value in _other_values(method) if _joins_with(method, {name: value}, extensions, schedules)
            not in (joins, None)]  # fmt: skip
    return {
        "phases": [_described(phase) for phase in built],
        "joins": joins,
        "joins_vary_with": list(dict.fromkeys(vary)),
    }


def _described(phase: Phase) -> dict[str, Any]:
    return {
        "name": phase.name,
        "title": phase.title,
        "stage": phase.stage,
        "offers": sorted(phase.offers),
        "trains": phase.trains,
    }


def _phases(method: type[Method], options: Mapping[str, Any]) -> list[Phase]:
    prepared = method(RunSpec.parse({"method": method.name, "options": dict(options)}))
    with torch.random.fork_rng(devices=[]):
        model = prepared.build(SHAPE, N_SAMPLES, N_CLUSTERS)
        return list(prepared.phases(model, Samples(torch.rand(N_SAMPLES, *SHAPE))))


def _joins(
    phases: Sequence[Phase], extensions: Mapping[str, type[Extension]], schedules: Sequence[str]
) -> dict[str, dict[str, str]]:
    return {
        name: {schedule: _obstacle(extension, schedule, phases) for schedule in schedules}
        for name, extension in extensions.items()
    }


def _joins_with(
    method: type[Method],
    options: Mapping[str, Any],
    extensions: Mapping[str, type[Extension]],
    schedules: Sequence[str],
) -> dict[str, dict[str, str]] | None:
    """Return the answers with changed options, or None where these options alone make no sense."""
    try:
        phases = _phases(method, options)
    except (ArithmeticError, LookupError, RuntimeError, ValueError):  # a SpecError is a ValueError
        return None
    return _joins(phases, extensions, schedules)


def _obstacle(extension: type[Extension], schedule: str, phases: Sequence[Phase]) -> str:
    """Return the sentence with which the worker would refuse, empty if it would not."""
    addition = extension({"schedule": schedule})
    try:
        with torch.random.fork_rng(devices=[]):
            join(addition, addition.build(SHAPE, Network()), phases, epoch=1)
    except SpecError as error:
        return str(error)
    return ""


def _other_values(method: type[Method]) -> Iterator[tuple[str, Any]]:
    """Other values that options could have, as far as they might decide which terms and networks there are."""
    for name, schema in method.Options.model_json_schema().get("properties", {}).items():
        if "enum" in schema:
            yield from ((name, value) for value in schema["enum"] if value != schema["default"])
        elif schema.get("type") == "boolean":
            yield name, not schema["default"]
        elif schema.get("minimum") == 0:
            yield name, 0 if schema["default"] else min(1, schema.get("maximum", 1))
