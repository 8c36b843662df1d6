"""The catalog says without torch what the method files say with it."""

from __future__ import annotations

import copy
import subprocess
import sys

import pytest
import torch
from training_helpers import small_spec

from clustlab import catalog, extensions, methods
from clustlab.data import Dataset
from clustlab.errors import SpecError
from clustlab.extensions.base import join
from clustlab.methods.base import Samples, checked_options
from clustlab.spec import RunSpec, with_settings


def test_it_says_what_the_method_files_say() -> None:
    assert catalog.described() == catalog.describe()


def test_asking_it_loads_no_torch() -> None:
    code = "import sys; from clustlab import catalog; catalog.described(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"cluster_weight": 0},
        {"cluster_weight": -0.1},
        {"cluster_weight": "much"},
        {"n_init": 2.5},
        {"learning_rate": 0},
        {"target_interval": float("nan")},
        {"nothing": 1},
    ],
)
def test_it_refuses_exactly_what_the_method_refuses(options: dict[str, object]) -> None:
    def refused(check: object) -> str:
        try:
            check()  # type: ignore[operator]
        except SpecError as error:
            return str(error)
        return ""

    spec = RunSpec.parse({"method": "idec", "options": options})
    theirs = refused(lambda: checked_options(methods.find("idec").Options, options, "idec"))
    assert refused(lambda: catalog.check(spec)) == theirs


def test_it_knows_what_methods_go_through() -> None:
    known = catalog.described()["methods"]
    pretrain, cluster = known["idec"]["phases"]
    assert (pretrain["stage"], cluster["stage"]) == ("pretraining", "clustering")
    assert (pretrain["offers"], cluster["offers"]) == (["decode", "encode"], ["assign", "decode", "encode"])
    assert known["dec"]["phases"][-1]["offers"] == ["assign", "encode"]
    assert [phase["trains"] for phase in known["ae-kmeans"]["phases"]] == [True, False]
    assert known["idec"]["uses"] == ["network", "training"]


def test_describing_leaves_the_random_numbers_alone() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    catalog.describe()
    assert torch.equal(torch.rand(3), expected)


def test_the_matrix_says_what_joining_says(digits_small: Dataset) -> None:
    """The worker's own sentence, for every method with a network, every extension and every schedule."""
    known = catalog.described()["methods"]
    for name in [name for name, entry in known.items() if "network" in entry["uses"]]:
        method = methods.find(name)(small_spec(name))
        samples = Samples(torch.from_numpy(digits_small.scaled()))
        phases = method.phases(method.build((8, 8), len(samples), 10), samples)
        for extension, by_schedule in known[name]["joins"].items():
            for schedule, reason in by_schedule.items():
                addition = extensions.find(extension)({"schedule": schedule})
                try:
                    join(addition, addition.build((8, 8), small_spec(name).network), phases, 1)
                    said = ""
                except SpecError as error:
                    said = str(error)
                assert said == reason, f"{name} + {extension}, {schedule}"


@pytest.mark.parametrize(
    ("method", "settings", "sentence"),
    [
        ("dec", ["extensions.acai.schedule=post"], "ACAI finds no phase to join on the schedule “post”"),
        ("kmeans", [], "k-means trains no network, so there is nothing for an extension to join"),
    ],
)
def test_combinations_that_cannot_be_are_refused(method: str, settings: list[str], sentence: str) -> None:
    spec = with_settings(RunSpec.parse({"method": method, "extensions": ["acai"]}), settings)
    assert sentence in catalog.impossible(spec)
    with pytest.raises(SpecError, match=sentence):
        catalog.check(spec)


def test_where_a_changed_option_decides_the_worker_has_the_last_word(monkeypatch: pytest.MonkeyPatch) -> None:
    known = copy.deepcopy(catalog.described())
    known["methods"]["dec"]["joins_vary_with"] = ["n_init"]
    monkeypatch.setattr(catalog, "described", lambda: known)
    spec = RunSpec.parse({"method": "dec", "extensions": {"acai": {"schedule": "post"}}})
    assert catalog.impossible(spec)
    assert not catalog.impossible(with_settings(spec, ["n_init=3"]))
    assert catalog.impossible(with_settings(spec, ["n_init=20"])), "20 is its default"


@pytest.mark.parametrize("setting", ["network.hidden=64", "network.latent_dim=2", "training.epochs=3"])
def test_settings_that_would_have_no_effect_are_refused(setting: str) -> None:
    spec = with_settings(RunSpec(method="kmeans"), [setting])
    with pytest.raises(SpecError, match=f"k-means .* so {setting.partition('=')[0]} would have no effect"):
        catalog.check(spec)
    catalog.check(with_settings(RunSpec(method="ae-kmeans"), [setting]))


@pytest.mark.parametrize("setting", ["training.threads=1", "training.device=cpu", "recording.probe=100"])
def test_settings_that_concern_every_run_are_not(setting: str) -> None:
    catalog.check(with_settings(RunSpec(method="kmeans"), [setting]))
