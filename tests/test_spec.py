from __future__ import annotations

import json
from typing import Any

import pytest
from pydantic import ValidationError

from clustlab.errors import SpecError
from clustlab.spec import FORMAT, Network, Part, RunSpec, option, with_settings

SPEC = RunSpec(method="idec", options={"cluster_weight": 0.1}, extensions={"acai": {}})


def test_a_spec_survives_its_text() -> None:
    assert RunSpec.parse(SPEC.to_json()) == SPEC
    assert RunSpec.parse(SPEC.model_dump()) == SPEC
    assert json.loads(SPEC.to_json())["format"] == FORMAT


def test_names_of_extensions_are_enough() -> None:
    assert RunSpec.parse({"method": "idec", "extensions": ["acai"]}).extensions == {"acai": {}}


def test_a_spec_cannot_be_changed() -> None:
    with pytest.raises(ValidationError, match="frozen"):
        SPEC.seed = 1  # type: ignore[misc]


@pytest.mark.parametrize(
    ("setting", "part", "value"),
    [
        ("cluster_weight=0.2", ("options", "cluster_weight"), 0.2),
        ("schedule=linear", ("options", "schedule"), "linear"),
        ("clip=null", ("options", "clip"), None),
        ("tied=true", ("options", "tied"), True),
        ("name=a=b", ("options", "name"), "a=b"),
        ("shape=[1, 2]", ("options", "shape"), "[1, 2]"),
        ("limit=NaN", ("options", "limit"), "NaN"),
        ("training.epochs=50", ("training", "epochs"), 50),
        ("network.hidden=64-32", ("network", "hidden"), "64-32"),
        ("extensions.acai.critic_weight=1", ("extensions", "acai", "critic_weight"), 1),
    ],
)
def test_settings_reach_their_part(setting: str, part: tuple[str, ...], value: Any) -> None:
    place: Any = with_settings(SPEC, [setting]).model_dump()
    for name in part:
        place = place[name]
    assert place == value
    assert type(place) is type(value)


def test_settings_leave_the_rest_alone() -> None:
    changed = with_settings(SPEC, ["training.epochs=50", "cluster_weight=0.2"])
    assert changed.options == {"cluster_weight": 0.2}
    assert changed.training.epochs == 50
    assert changed.model_copy(update={"training": SPEC.training, "options": SPEC.options}) == SPEC
    assert SPEC.options == {"cluster_weight": 0.1}


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("training.epochs", "“training.epochs” is not a setting; write name=value"),
        ("=3", "“=3” is not a setting; write name=value"),
        ("trainings.epochs=3", "“trainings.epochs” sets nothing in this run; dotted names begin with options.…"),
        ("extensions.critic.weight=3", "“extensions.critic.weight” sets nothing in this run"),
        ("training.epoch=3", "there is no option “training.epoch”"),
        ("training.epochs=0", "training.epochs = 0 is too small; it must be at least 1"),
        ("training.learning_rate=0", "training.learning_rate = 0 is too small; it must be greater than 0"),
        ("network.latent_dim=5000", "network.latent_dim = 5000 is too large; it may be at most 1024"),
        (
            "network.kind=transformer",
            "network.kind = 'transformer' is not possible; allowed are 'mlp' or 'convolutional'",
        ),
        ("network.hidden=64,32", "network.hidden = '64,32' is not of the form wanted, e.g. 256-128"),
        ("training.epochs=many", "training.epochs = 'many': input should be a valid integer"),
        ("training.learning_rate=NaN", "training.learning_rate = 'NaN': input should be a finite number"),
    ],
)
def test_impossible_settings_are_explained_in_a_sentence(setting: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        with_settings(SPEC, [setting])
    assert str(caught.value).startswith(message)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("{", "the spec is not valid JSON"),
        ("{}", "“method” is missing"),
        ("[]", "the spec"),
        ('{"method": "idec", "colour": 1}', "there is no option “colour”"),
        ('{"method": "idec", "seed": -1}', "seed = -1 is too small; it must be at least 0"),
        ('{"method": "idec", "n_clusters": 0}', "n_clusters = 0 is too small; it must be at least 1"),
        ('{"method": "idec", "format": 0}', "format = 0 is too small; it must be at least 1"),
    ],
)
def test_what_is_no_spec_is_refused(content: str, message: str) -> None:
    with pytest.raises(SpecError) as caught:
        RunSpec.parse(content)
    assert str(caught.value).startswith(message)


def test_a_newer_format_is_named_before_anything_else() -> None:
    with pytest.raises(SpecError, match=f"written by a newer clustlab; this one reads formats up to {FORMAT}"):
        RunSpec.parse({"format": FORMAT + 1, "method": "idec", "unheard_of": 1})


def test_widths_follow_the_text() -> None:
    assert Network(hidden="500-500-2000").widths == (500, 500, 2000)


def test_an_option_carries_all_that_forms_need() -> None:
    class Options(Part):
        weight: float = option(0.1, help="Weight.", low=0, high=1, symbol=r"\gamma", unit="steps")

    schema = Options.model_json_schema()["properties"]["weight"]
    assert {"default": 0.1, "description": "Weight.", "minimum": 0, "maximum": 1}.items() <= schema.items()
    assert schema["symbol"] == r"\gamma"
    assert schema["unit"] == "steps"
    assert "advanced" not in schema
