"""The fork dialog: from which checkpoint a run goes on, with which method, extensions and options."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import streamlit as st

from clustlab import catalog, launch
from clustlab.app.components import option_form
from clustlab.app.state import ForkForm, option_key, show_run
from clustlab.errors import ClustlabError
from clustlab.launch.fork import Crossroads, crossroads, settled
from clustlab.runs import Run
from clustlab.spec import RunSpec, Training

__all__ = ["ask", "nearest", "show"]

OWNER = "fork-"
"""In front of the owners of options, whose widgets stand in the training form too."""

Properties = Mapping[str, Mapping[str, Any]]


def ask(run: Run, step: int | None) -> None:
    """Open the dialog.

    Parameters
    ----------
    run : Run
        The run to go on from.
    step : int or None
        The step that the page shows; the checkpoint at or before it is offered first.
    """
    mine = (option_key(OWNER, "").rstrip("-"), *ForkForm)
    for key in [key for key in st.session_state if str(key).startswith(mine)]:
        del st.session_state[key]
    places = crossroads(run)
    if places:
        st.session_state[ForkForm.STEP] = nearest(places, step).step
    st.dialog("Go on in another way", width="large", icon=":material/call_split:")(show)(run)


def nearest(places: list[Crossroads], step: int | None) -> Crossroads:
    """Return the latest checkpoint at or before a step, else the latest at which a phase ends, else the latest."""
    before = [place for place in places if step is not None and place.step <= step]
    ends = [place for place in places if place.ends]
    return (before or ends or places)[-1]


def show(run: Run) -> None:
    """Show what is in the dialog; once *Fork* is pressed the new run is begun and becomes the one on the page."""
    places = {place.step: place for place in crossroads(run)}
    if not places:
        st.info(
            "This run has kept no checkpoint behind which anything is trained, so that there is nothing to go on from.",
            icon=":material/info:",
        )
        return
    known = catalog.described()
    left, right = st.columns(2)
    step = left.selectbox(
        "From the checkpoint",
        list(places),
        format_func=lambda each: _place(places[each]),
        key=ForkForm.STEP,
        help="Everything that was recorded up to there becomes the past of the new run.",
    )
    possible = [name for name in places[step].methods if name in known["methods"]]
    if not possible:
        st.info(f"The method {run.spec.method} is not installed here, so that nothing can go on.")
        return
    _keep(ForkForm.METHOD, possible)
    method = right.selectbox(
        "With the method",
        possible,
        format_func=lambda name: known["methods"][name]["card"]["title"],
        key=ForkForm.METHOD,
        help="The run's own method, and while pretraining lasts every one that is pretrained alike.",
    )
    st.caption(_kept(run))
    spec = _spec(run, step, method, known)
    if st.button("Fork", type="primary", icon=":material/call_split:", key="fork-yes"):
        try:
            child = launch.fork(run, RunSpec.parse(spec), step=step, runs=run.folder.path.parent)
            launch.ENGINES["process"](child.folder.path)
        except ClustlabError as error:
            st.error(_sentence(str(error)), icon=":material/error:")
            return
        show_run(child)
        st.rerun()


def _place(place: Crossroads) -> str:
    return f"step {place.step} · {'end of' if place.ends else 'in'} {place.phase}"


def _spec(run: Run, step: int, method: str, known: dict[str, Any]) -> dict[str, Any]:
    """Show what may differ from the parent; return the fields of the child's spec."""
    spec = run.spec.model_dump()
    entry, same = known["methods"][method], method == run.spec.method
    extensions = known["extensions"]
    possible = [name for name in extensions if not all(entry["joins"][name].values())]
    chosen: list[str] = []
    if possible:
        st.session_state.setdefault(ForkForm.EXTENSIONS, list(run.spec.extensions))
        _keep(ForkForm.EXTENSIONS, possible)
        chosen = st.pills(
            "Joined with",
            possible,
            format_func=lambda name: extensions[name]["card"]["title"],
            selection_mode="multi",
            key=ForkForm.EXTENSIONS,
        )
    joined = {}
    with st.expander("Options", icon=":material/tune:", expanded=True):
        places = st.columns(2)
        with places[0]:
            options = _options(method, entry["card"]["title"], entry["options"], run.spec.options if same else {})
        with places[1]:
            for name in chosen:
                declared = _schedules(extensions[name]["options"], entry["joins"][name])
                given = run.spec.extensions.get(name, {})
                joined[name] = _options(name, extensions[name]["card"]["title"], declared, given)
    training = Training.model_json_schema()["properties"]
    used = {name: training[name] for name in catalog.used(entry, "training") if name not in settled(run, step)}
    with st.expander("Training", icon=":material/settings:"):
        values = _options("training", "Training", used, spec["training"])
    return {
        **spec,
        "method": method,
        "options": options,
        "extensions": joined,
        "training": {**spec["training"], **values},
        "parent": None,
    }


def _options(owner: str, title: str, properties: Properties, given: Mapping[str, Any]) -> dict[str, Any]:
    """Show options, beginning with the parent's values; return those that differ from the defaults or were given."""
    if not properties:
        return {}
    st.markdown(f"**{title}**")
    for name, schema in properties.items():
        st.session_state.setdefault(option_key(f"{OWNER}{owner}", name), given.get(name, schema["default"]))
    changed = option_form.show(f"{OWNER}{owner}", properties)
    return {
        name: changed.get(name, schema["default"])
        for name, schema in properties.items()
        if name in changed or name in given
    }


def _schedules(properties: Properties, joins: Mapping[str, str]) -> Properties:
    """Return the options of an extension with the schedules on which it can join."""
    schedule = properties["schedule"]
    return {**properties, "schedule": {**schedule, "enum": [each for each in schedule["enum"] if not joins[each]]}}


def _keep(key: ForkForm, possible: list[str]) -> None:
    """Forget a choice that is no longer possible."""
    chosen = st.session_state.get(key)
    if isinstance(chosen, list):
        st.session_state[key] = [name for name in chosen if name in possible]
    elif chosen not in possible:
        st.session_state[key] = possible[0]


def _kept(run: Run) -> str:
    spec, about = run.spec, run.about
    data = str((about.get("dataset") or {}).get("title") or spec.data)
    n_clusters = about.get("n_clusters") or spec.n_clusters
    return (
        f"Kept as they are: the data ({data}), the seed ({spec.seed}), the number of clusters ({n_clusters}) and the "
        f"network ({spec.network.hidden}, {spec.network.latent_dim} coordinates); with others the past would not be "
        "the new run's own."
    )


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"
