"""What can be asked for: :class:`RunSpec`, the one description of a run.

Here lives the declaration of everything a person can set, with bounds, unit, help and symbol; the form in the
app, the flags of the command line, the arguments in Python and ``spec.json`` all follow from it. What a single
method can be told lives with the method. To add a setting that every run has, add an :func:`option` below.
"""

from __future__ import annotations

import json
import math
import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from clustlab.errors import SpecError

__all__ = [
    "FORMAT",
    "Network",
    "Parent",
    "Part",
    "Recording",
    "RunSpec",
    "Training",
    "explain",
    "option",
    "run_title",
    "with_settings",
]

FORMAT = 1
"""Number of the run-folder format that this version writes; see ``runs/FORMAT.md``."""


class Part(BaseModel):
    """A group of options: frozen, and unknown names are refused."""

    # A text may be all digits, as in --set network.hidden=64.
    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, coerce_numbers_to_str=True)


def option(
    default: Any,
    *,
    help: str,
    low: float | None = None,
    high: float | None = None,
    above: float | None = None,
    symbol: str = "",
    unit: str = "",
    pattern: str | None = None,
    advanced: bool = False,
) -> Any:
    r"""Declare one option: the only place where its default, bounds and meaning are written.

    Parameters
    ----------
    default : object
        A real default; choices are a ``Literal`` annotation.
    help : str
        One sentence for a person who has not read the paper.
    low, high : float, optional
        Bounds, inclusive.
    above : float, optional
        Exclusive lower bound, for quantities that must be positive.
    symbol : str
        The paper's symbol in LaTeX, e.g. ``r"\gamma"``.
    unit : str
        ``epochs``, ``steps``, ``seconds``, …
    pattern : str, optional
        Regular expression that a text must match.
    advanced : bool
        Whether the form tucks the option away.
    """
    extra: dict[str, Any] = {"symbol": symbol, "unit": unit, "advanced": advanced}
    return Field(
        default=default,
        description=help,
        ge=low,
        le=high,
        gt=above,
        pattern=pattern,
        json_schema_extra={key: value for key, value in extra.items() if value},
    )


class Network(Part):
    """The networks that a method builds; of no effect for methods that train none, such as k-means."""

    kind: Literal["mlp", "convolutional"] = option(
        "mlp", help="Fully connected layers, or 3×3 convolutions as in the ACAI paper (images only)."
    )
    hidden: str = option(
        "256-128",
        help="Widths of the encoder's hidden layers; the decoder mirrors them. DEC's paper has 500-500-2000.",
        pattern=r"^[1-9]\d{0,4}(-[1-9]\d{0,4}){0,7}$",
    )
    latent_dim: int = option(10, low=1, high=1024, symbol="J", help="Number of coordinates of a code.")
    channels: int = option(
        16, low=1, high=256, help="Channels of the first convolution; they double at each scale.", advanced=True
    )

    @property
    def widths(self) -> tuple[int, ...]:
        """Widths of the hidden layers, encoder order."""
        return tuple(int(width) for width in self.hidden.split("-"))


class Training(Part):
    """How the autoencoder is trained before (or without) a clustering phase."""

    epochs: int = option(200, low=1, high=100_000, unit="epochs", help="Passes over the data while pretraining.")
    pretraining: Literal["end-to-end", "stacked denoising"] = option(
        "end-to-end",
        help="All layers at once, or DEC's recipe: each pair of layers first learns for itself to undo dropout, for "
        "half as many epochs, then all together (fully connected networks only).",
    )
    batch_size: int = option(256, low=2, high=65_536, unit="samples", help="Samples in a mini-batch.")
    learning_rate: float = option(1e-3, above=0, high=1, help="Adam's step size while pretraining.")
    threads: int = option(
        max(1, (os.cpu_count() or 2) // 2),
        low=1,
        high=256,
        help="CPU threads; part of the description because it decides the last bits of every sum.",
        advanced=True,
    )
    device: Literal["auto", "cpu", "cuda", "mps"] = option(
        "auto", help="Where tensors live; auto takes an accelerator where there is one.", advanced=True
    )
    precision: Literal["float32", "bfloat16"] = option(
        "float32",
        help="In what linear layers and convolutions multiply; bfloat16 keeps two to three digits, and is quicker "
        "where the hardware multiplies in it: accelerators, processors with AMX. Parameters and objectives stay in "
        "float32.",
        advanced=True,
    )


class Recording(Part):
    """What a run writes down while it trains; nothing here changes what is learned."""

    probe: int = option(
        2000, low=2, high=20_000, unit="samples", help="Samples that every frame shows (the probe).", advanced=True
    )
    budget: float = option(
        0.04, above=0, high=1, help="Share of the training time that recording may cost.", advanced=True
    )
    checkpoint_interval: float = option(
        10.0, low=0, high=86_400, unit="seconds", help="Time between checkpoints.", advanced=True
    )


class Parent(Part):
    """The run and the moment from which a fork goes on; ``alike`` if it would have had the same past on its own."""

    run: str
    step: int = Field(ge=0)
    alike: bool = False


class RunSpec(Part):
    """Complete description of a run; the same spec on the same machine gives the same bits."""

    format: int = Field(FORMAT, ge=1)
    method: str
    data: str = option("digits", help="Name of a data source, or path of a file.")
    n_clusters: int | None = option(
        None, low=1, high=1000, symbol="K", help="Number of clusters; empty means as many as the data has classes."
    )
    seed: int = option(0, low=0, high=2**31 - 1, help="Everything random in the run follows from it.")
    options: dict[str, Any] = Field(default_factory=dict)
    extensions: dict[str, dict[str, Any]] = Field(default_factory=dict)
    network: Network = Network()
    training: Training = Training()
    recording: Recording = Recording()
    parent: Parent | None = None

    @field_validator("extensions", mode="before")
    @classmethod
    def _names_are_enough(cls, value: Any) -> Any:
        """``["acai"]`` stands for ``{"acai": {}}``."""
        if isinstance(value, Mapping):
            return dict(value)
        if isinstance(value, Sequence) and not isinstance(value, str):
            return {name: {} for name in value}
        return value

    @classmethod
    def parse(cls, content: str | Mapping[str, Any]) -> RunSpec:
        """Return the spec described by JSON text or a mapping.

        Raises
        ------
        SpecError
            If it is not a spec, names something unknown, or a value is out of bounds.
        """
        try:
            fields = json.loads(content) if isinstance(content, str) else dict(content)
            if isinstance(fields, dict) and isinstance(fields.get("format"), int) and fields["format"] > FORMAT:
                raise SpecError(
                    f"this run has format {fields['format']}, written by a newer clustlab; "
                    f"this one reads formats up to {FORMAT}"
                )
            return cls.model_validate(fields)
        except ValidationError as error:
            raise SpecError(explain(error)) from error
        except json.JSONDecodeError as error:
            raise SpecError(f"the spec is not valid JSON ({error})") from error

    def to_json(self) -> str:
        """Return the text of ``spec.json``."""
        return self.model_dump_json(indent=2, exclude=None if self.parent else {"parent"}) + "\n"


def run_title(method: str, extensions: Sequence[str], data: str, seed: int) -> str:
    """Return what a person calls a run, from the titles of its parts: ``IDEC + ACAI on Digits 8×8 · seed 0``."""
    return f"{' + '.join([method, *extensions])} on {data} · seed {seed}"


def with_settings(spec: RunSpec, settings: Sequence[str]) -> RunSpec:
    """Return the spec with ``name=value`` settings applied, as given to ``--set``.

    A bare name sets a method option, a dotted name any other part: ``cluster_weight=0.2``,
    ``training.epochs=50``, ``extensions.acai.critic_weight=1``.

    Raises
    ------
    SpecError
        If a setting has no ``=``, names an unknown part, or a value is out of bounds.
    """
    fields = spec.model_dump()
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals or not name:
            raise SpecError(f"“{setting}” is not a setting; write name=value")
        *path, last = name.split(".") if "." in name else ["options", name]
        place: Any = fields
        for part in path:
            if not isinstance(place, dict) or not isinstance(place.get(part), dict):
                allowed = ", ".join(f"{key}.…" for key, value in fields.items() if isinstance(value, dict))
                raise SpecError(f"“{name}” sets nothing in this run; dotted names begin with {allowed}")
            place = place[part]
        place[last] = _value(text)
    return RunSpec.parse(fields)


def _value(text: str) -> Any:
    """Numbers, booleans and null as JSON reads them; everything else is text."""
    try:
        value = json.loads(text)
    except json.JSONDecodeError:
        return text
    return text if isinstance(value, (dict, list)) or (isinstance(value, float) and not math.isfinite(value)) else value


def explain(error: ValidationError) -> str:
    """Return a validation error as one sentence: what was wrong, where, and what is allowed."""
    return "; ".join(_sentence(problem) for problem in error.errors()[:3])


def _sentence(problem: Any) -> str:
    name = ".".join(str(part) for part in problem["loc"]) or "the spec"
    given, context = problem.get("input"), problem.get("ctx", {})
    match problem["type"]:
        case "extra_forbidden":
            return f"there is no option “{name}”"
        case "missing":
            return f"“{name}” is missing"
        case "greater_than_equal":
            return f"{name} = {given} is too small; it must be at least {context['ge']}"
        case "greater_than":
            return f"{name} = {given} is too small; it must be greater than {context['gt']}"
        case "less_than_equal":
            return f"{name} = {given} is too large; it may be at most {context['le']}"
        case "literal_error":
            return f"{name} = {given!r} is not possible; allowed are {context['expected']}"
        case "string_pattern_mismatch":
            return f"{name} = {given!r} is not of the form wanted, e.g. 256-128"
        case _:
            return f"{name} = {given!r}: {problem['msg'][0].lower()}{problem['msg'][1:]}"
