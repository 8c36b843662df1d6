"""What a method goes through and where extensions can join, found out by building it on dummy data."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from clustlab.errors import SpecError
from clustlab.extensions.base import Extension, join
from clustlab.methods.base import Method, Phase, Samples
from clustlab.spec import Network, RunSpec

__all__ = ["outline"]

SHAPE, N_SAMPLES, N_CLUSTERS = (8, 8), 64, 3
"""Dummy data: small images, which every kind of network takes."""


def outline(
    method: type[Method], extensions: Mapping[str, type[Extension]], schedules: Sequence[str]
) -> dict[str, list[dict[str, Any]] | dict[str, dict[str, str]] | list[str] | str]:
    """Return ``phases``, ``pretraining``, ``joins`` and ``joins_vary_with``; see :func:`clustlab.catalog.describe`."""
    built = _phases(method, {})
    if not any(phase.decode for phase in built):
        lacks = "has no decoder" if any(phase.trains for phase in built) else "trains no network"
        idle = f"{method.card.title} {lacks}, so there is nothing for an extension to join"
        return {
            "phases": [_described(phase) for phase in built],
            "pretraining": "",
            "joins": {name: dict.fromkeys(schedules, idle) for name in extensions},
            "joins_vary_with": [],
        }
    joins = _joins(built, extensions, schedules)
    vary = [name for name, value in _other_values(method) if _joins_with(method, {name: value}, extensions, schedules)
            not in (joins, None)]  # fmt: skip
    return {
        "phases": [_described(phase) for phase in built],
        "pretraining": _pretraining(method),
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
    with torch.random.fork_rng(devices=[]):
        return _built(method, options)[1]


def _built(method: type[Method], options: Mapping[str, Any]) -> tuple[nn.Module, list[Phase]]:
    prepared = method(RunSpec.parse({"method": method.name, "options": dict(options)}))
    model = prepared.build(SHAPE, N_SAMPLES, N_CLUSTERS)
    return model, list(prepared.phases(model, Samples(torch.zeros(N_SAMPLES, *SHAPE))))


def _pretraining(method: type[Method]) -> str:
    """Return a digest of all that decides how the method's pretraining goes, empty if it has none.

    Methods of the same digest go through the same steps, to the last bit, until their pretraining ends: the same
    weights by the same names, the same random numbers to come, the same terms and optimisers.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model, phases = _built(method, {})
        content = hashlib.sha256(torch.get_rng_state().numpy().tobytes())
    pretraining = [phase for phase in phases if phase.stage == "pretraining" and phase.trains]
    if not pretraining or phases[0].stage != "pretraining":
        return ""
    names = {id(parameter): name for name, parameter in model.named_parameters()}
    for phase in pretraining:
        content.update(repr((phase.name, phase.steps, phase.take_turns, phase.draw is None)).encode())
        for player in phase.players:
            content.update(repr((player.name, player.optimiser, [(t.name, t.weight) for t in player.terms])).encode())
            for parameter in player.parameters:
                content.update(names[id(parameter)].encode() + parameter.detach().numpy().tobytes())
    return content.hexdigest()[:16]


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
