"""What the files beside the package promise: settings that Streamlit knows, and a version for every package."""

from __future__ import annotations

import inspect
import re
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from streamlit import config
from streamlit.runtime.scriptrunner import script_runner

ROOT = Path(__file__).resolve().parents[1]
SETTINGS = tomllib.loads((ROOT / ".streamlit" / "config.toml").read_text())


def options(table: dict[str, object], prefix: str = "") -> dict[str, object]:
    """Flatten the tables of the settings file: ``{"theme.light.primaryColor": …}``."""
    flat: dict[str, object] = {}
    for name, value in table.items():
        flat |= options(value, f"{prefix}{name}.") if isinstance(value, dict) else {f"{prefix}{name}": value}
    return flat


def luminance(colour: str) -> float:
    """Return the relative luminance of ``#RRGGBB`` as WCAG 2 defines it."""
    values = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in values]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("name", options(SETTINGS))
def test_streamlit_knows_the_setting(name: str) -> None:
    assert name in config.get_config_options()


def test_no_collection_follows_a_rerun() -> None:
    """The option is not documented, so its one use is looked for."""
    assert options(SETTINGS)["runner.postScriptGC"] is False
    assert 'get_option("runner.postScriptGC")' in inspect.getsource(script_runner)


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("text", ["textColor", "linkColor"])
@pytest.mark.parametrize("ground", ["backgroundColor", "secondaryBackgroundColor"])
def test_text_can_be_read(theme: str, text: str, ground: str) -> None:
    colours = SETTINGS["theme"][theme]
    darker, lighter = sorted([luminance(colours[text]), luminance(colours[ground])])
    assert (lighter + 0.05) / (darker + 0.05) >= 4.5


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_white_text_on_a_button_can_be_read(theme: str) -> None:
    assert 1.05 / (luminance(SETTINGS["theme"][theme]["primaryColor"]) + 0.05) >= 4.5


def test_every_package_is_pinned_once_and_exactly() -> None:
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert all(re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line) for line in lines)
    pinned = [canonicalize_name(line.partition("==")[0]) for line in lines]
    assert len(pinned) == len(set(pinned))

    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    waiting = [Requirement(text) for text in project["dependencies"] + project["optional-dependencies"]["dev"]]
    needed: set[str] = set()
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        if name not in needed and (requirement.marker is None or requirement.marker.evaluate({"extra": ""})):
            needed.add(name)
            waiting += [Requirement(text) for text in metadata.requires(requirement.name) or ()]
    # What an accelerator's build of torch brings along is pinned by torch itself.
    assert {name for name in needed if not name.startswith(("nvidia-", "cuda-", "triton"))} <= set(pinned)
