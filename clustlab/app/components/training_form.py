"""The form on the left of the laboratory: data, method, extensions, options; it ends in a spec."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from clustlab import catalog
from clustlab.app.components import data_form, option_form
from clustlab.app.presets import PRESETS
from clustlab.app.state import Form, fill_form, option_key, show_in_form
from clustlab.data import Source
from clustlab.spec import Network, Recording, RunSpec, Training

__all__ = ["show"]

PARTS: dict[str, type[Network] | type[Training] | type[Recording]] = {
    "network": Network,
    "training": Training,
    "recording": Recording,
}


OF_PRESET = {Form.METHOD: "method", Form.DATA: "data"}
"""Widgets on which what a preset promises rests, and the parts of a spec that they stand for."""


def show() -> RunSpec | None:
    """Show the form; return the spec when *Train* has been pressed.

    Raises
    ------
    SpecError
        If what was entered is not a spec.
    """
    known = catalog.described()
    methods, extensions = known["methods"], known["extensions"]
    _defaults()
    with st.container(key="form"):
        st.selectbox(
            "Start from", list(PRESETS), index=None, placeholder="a preset …", key=Form.PRESET, on_change=_apply_preset
        )
        _promise()
        data = data_form.choose()
        method = st.selectbox(
            "Method",
            [name for family in catalog.families().values() for name in family],
            format_func=lambda name: methods[name]["card"]["title"],
            key=Form.METHOD,
        )
        st.caption(methods[method]["card"]["idea"])
        chosen = _choose_extensions(extensions, methods[method])
        n_clusters, seed = _clusters_and_seed(data)
        _offer_paper_settings(method, methods[method]["card"]["paper_settings"], data)
        with st.expander("Options", icon=":material/tune:"):
            options = _options(method, methods[method]["options"], methods[method]["card"]["title"])
            joined = {
                name: _options(
                    name, _possible(name, extensions[name], methods[method]), extensions[name]["card"]["title"]
                )
                for name in chosen
            }
        used = _settable(methods[method])
        with st.expander(", ".join(used).capitalize(), icon=":material/settings:"):
            parts = {part: _options(part, properties, part.capitalize()) for part, properties in used.items()}
        pressed = _train_button(data, n_clusters)
    if not pressed or data is None:
        return None
    content = {
        "method": method,
        "data": data.name,
        "n_clusters": n_clusters,
        "seed": seed,
        "options": options,
        "extensions": joined,
        **parts,
    }
    return RunSpec.parse(content)


def _train_button(data: Source | None, n_clusters: int | None) -> bool:
    """Show the button, or why it cannot be pressed yet; return whether it was."""
    missing = ""
    if data is None:
        missing = "Name or upload the data first."
    elif n_clusters is None and not data.n_classes:
        missing = "Say how many clusters to look for: the data have no classes to count."
    return st.button(
        "Train",
        type="primary",
        width="stretch",
        icon=":material/play_arrow:",
        disabled=bool(missing),
        help=missing or None,
    )


def _defaults() -> None:
    for key, value in {Form.DATA: "digits", Form.METHOD: "idec", Form.EXTENSIONS: ["acai"], Form.SEED: 0}.items():
        st.session_state.setdefault(key, value)


def _apply_preset() -> None:
    """Fill the form from the chosen preset; everything else goes back to its default."""
    preset = PRESETS.get(st.session_state[Form.PRESET] or "")
    if preset is None:
        return
    show_in_form(preset.content["method"], preset.content)


def _promise() -> None:
    """Say what to expect of the chosen preset, as long as it is what the form asks for."""
    preset = PRESETS.get(st.session_state[Form.PRESET] or "")
    if preset and all(st.session_state.get(key) == preset.content[part] for key, part in OF_PRESET.items()):
        st.caption(preset.promise)


def _offer_paper_settings(method: str, content: Mapping[str, Mapping[str, Any]], data: Source | None) -> None:
    """Offer to set all that the paper has otherwise, in one click."""
    if not content:
        return
    convolutional = content.get("network", {}).get("kind") == "convolutional"
    unfit = convolutional and data is not None and data.kind != "images"
    told = ", ".join(
        f"{name.replace('_', ' ')} = {value}" for values in content.values() for name, value in values.items()
    )
    st.button(
        "Settings of the paper",
        key="paper-settings",
        type="tertiary",
        icon=":material/article:",
        disabled=unfit,
        help="The paper has a convolutional network, which needs images; these samples are vectors."
        if unfit
        else f"Sets {told}. Defaults are smaller, because most data here are; what no option can say stands on the "
        "method's page.",
        on_click=_take_paper_settings,
        args=(method, content, told),
    )


def _take_paper_settings(method: str, content: Mapping[str, Mapping[str, Any]], told: str) -> None:
    fill_form(method, content)
    st.toast(f"{told}: training takes longer now.", icon=":material/article:")


def _choose_extensions(extensions: dict[str, Any], method: dict[str, Any]) -> list[str]:
    """Let the person choose among the extensions that can join the method; say why the others cannot."""
    possible = [name for name in extensions if not all(method["joins"][name].values())]
    if possible:
        kept = st.session_state.get(Form.EXTENSIONS) or []
        st.session_state[Form.EXTENSIONS] = [name for name in kept if name in possible]
        st.pills(
            "Join with",
            possible,
            format_func=lambda name: extensions[name]["card"]["title"],
            selection_mode="multi",
            key=Form.EXTENSIONS,
            help=" ".join(extensions[name]["card"]["idea"] for name in possible),
        )
    refused = [next(iter(method["joins"][name].values())) for name in extensions if name not in possible]
    for reason in dict.fromkeys(refused):
        st.caption(f"{reason}.")
    return list(st.session_state[Form.EXTENSIONS]) if possible else []


def _possible(name: str, extension: dict[str, Any], method: dict[str, Any]) -> dict[str, Any]:
    """Return the options of an extension with the schedules on which it can join the method; forget another choice."""
    schedule = extension["options"]["schedule"]
    there = [each for each in schedule["enum"] if not method["joins"][name][each]]
    key = option_key(name, "schedule")
    if st.session_state.get(key, there[0]) not in there:
        del st.session_state[key]
    return {**extension["options"], "schedule": {**schedule, "enum": there}}


def _options(owner: str, properties: dict[str, Any], title: str) -> dict[str, Any]:
    if not properties:
        return {}
    heading, button = st.columns([3, 2], vertical_alignment="center")
    heading.markdown(f"**{title}**")
    button.button("reset", key=f"reset-{owner}", type="tertiary", on_click=option_form.reset, args=(owner, properties))
    return option_form.show(owner, properties)


def _settable(entry: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the options of each part of the spec that a method can be told."""
    named = [part for part in catalog.PARTS if any(each.partition(".")[0] == part for each in entry["uses"])]
    kept = {part: {name: _properties(part)[name] for name in catalog.used(entry, part)} for part in named}
    return {**kept, "recording": _properties("recording")}


def _properties(part: str) -> dict[str, Any]:
    return dict(PARTS[part].model_json_schema()["properties"])


def _clusters_and_seed(data: Source | None) -> tuple[int | None, int]:
    n_classes = data.n_classes if data is not None else 0
    left, right = st.columns(2)
    n_clusters = left.number_input(
        "clusters",
        1,
        1000,
        value=None,
        step=1,
        placeholder=str(n_classes) if n_classes else "how many?",
        key=Form.CLUSTERS,
        help="Empty: as many as the data has classes."
        if n_classes
        else "These samples have no classes to count: say how many clusters to look for.",
    )
    seed = right.number_input(
        "seed", 0, 2**31 - 1, step=1, key=Form.SEED, help="Everything random in the run follows from it."
    )
    return n_clusters, seed
