"""The methods page: a card for each method and extension, made from its declaration and from what was measured."""

from __future__ import annotations

from typing import Any

import pandas as pd
import streamlit as st

from clustlab import catalog
from clustlab.app.state import Link, Session, show_in_form
from clustlab.bench.grid import NONE
from clustlab.bench.results import SCORES, results, summary
from clustlab.data.assets import assets_folder
from clustlab.sharing.snippet import command_of
from clustlab.spec import RunSpec

__all__ = ["page"]


def page() -> None:
    """Draw the page."""
    known = catalog.described()
    entries = {**known["methods"], **known["extensions"]}
    groups = {catalog.FAMILIES[family]: names for family, names in catalog.families().items()}
    groups["Extensions"] = list(known["extensions"])
    st.header("Methods")
    choice, card = st.columns([3, 9], gap="large")
    with choice, st.container(key="method-list"):
        chosen = _choose(groups, entries)
    with card, st.container(key="method-card"):
        _card(chosen, entries[chosen], known)


def _choose(groups: dict[str, list[str]], entries: dict[str, Any]) -> str:
    """Offer all methods by family; the link says which one is open."""
    everything = [name for names in groups.values() for name in names]
    linked = st.query_params.get(Link.METHOD)
    chosen = linked if linked in everything else "idec"
    for title, names in groups.items():
        st.caption(title)
        for name in names:
            st.button(
                entries[name]["card"]["title"],
                key=f"method-{name}",
                type="secondary" if name == chosen else "tertiary",
                width="stretch",
                on_click=_open,
                args=(name,),
            )
    return chosen


def _open(name: str) -> None:
    st.query_params[Link.METHOD] = name


def _card(name: str, entry: dict[str, Any], known: dict[str, Any]) -> None:
    card = entry["card"]
    title, button = st.columns([4, 1], vertical_alignment="center")
    title.subheader(card["title"])
    is_method = name in known["methods"]
    if is_method and button.button("Try it", type="primary", icon=":material/science:", width="stretch"):
        show_in_form(name)
        st.switch_page(st.session_state[Session.LABORATORY])
    st.markdown(card["idea"])
    st.caption(f"{card['paper']} · on the command line: `{name}`")
    st.latex(card["objective"])
    _symbols(card["symbols"])
    _list("How it goes", card["algorithm"], numbered=True)
    _list("What to look for", [card["look_for"]] if card["look_for"] else [])
    _picture(name, card["title"] if is_method else f"IDEC joined by {card['title']}")
    _list("What goes wrong, and what guards against it", card["pitfalls"])
    _list("Where our defaults differ from the paper", card["deviations"])
    _paper_settings(name, card["paper_settings"])
    _published(card["published"])
    if is_method:
        _measured(name, known)
        _extensions(entry, known["extensions"])
    _options(entry["options"])


def _symbols(symbols: dict[str, str]) -> None:
    if symbols:
        rows = [f"| {_cell(f'${symbol}$')} | {_cell(meaning)} |" for symbol, meaning in symbols.items()]
        st.markdown("\n".join(["| symbol | meaning |", "|---|---|", *rows]))


def _list(heading: str, sentences: list[str], *, numbered: bool = False) -> None:
    if sentences:
        st.markdown(f"**{heading}**")
        st.markdown("\n".join(f"{'1.' if numbered else '-'} {sentence}" for sentence in sentences))


def _paper_settings(method: str, content: dict[str, Any]) -> None:
    if content:
        st.markdown("**With the settings of the paper**, as far as options go")
        st.code(command_of(RunSpec.parse({"method": method, **content})), language="bash", wrap_lines=True)


def _picture(name: str, title: str) -> None:
    """Show what a run looks like at its end, where a picture was kept."""
    scheme = "dark" if st.context.theme.type == "dark" else "light"
    path = assets_folder() / "pictures" / f"{name}-{scheme}.webp"
    if path.is_file():
        st.image(path, caption=f"{title} on the 8×8 digits, default options, seed 0.", width="stretch")


def _published(published: list[dict[str, Any]]) -> None:
    st.markdown("**Published**")
    if not published:
        st.caption("No figure that could be checked at its source.")
        return
    rows = [
        {
            "data": each["data"],
            **{title: _number(each[score]) for score, title in SCORES.items()},
            "source": each["source"],
        }
        for each in published
    ]
    _table(pd.DataFrame(rows))


def _measured(name: str, known: dict[str, Any]) -> None:
    st.markdown("**Measured here**")
    titles = {key: entry["card"]["title"] for key, entry in known["extensions"].items()}
    rows = []
    for each in results():
        own = each.rows[each.rows["method"] == name]
        scores = {title: {part.extensions: part for part in summary(own, key)} for key, title in SCORES.items()}
        for extensions, part in sorted(scores["ACC"].items(), key=lambda item: item[0] != NONE):
            names = [] if extensions == NONE else extensions.split("+")
            told = {title: str(found.get(extensions, "–")) for title, found in scores.items()}
            rows.append(
                {
                    "data": each.title,
                    "joined by": " + ".join(titles.get(each, each) for each in names) or "–",
                    **told,
                    "seeds": part.seeds,
                }
            )
    if not rows:
        st.caption("Not measured yet; `clustlab bench` does it.")
        return
    _table(pd.DataFrame(rows))
    st.caption(
        "Mean ± standard deviation over seeds, every sample scored, no epoch chosen by labels; with which options, the "
        "page *Benchmarks* tells."
    )


def _extensions(entry: dict[str, Any], extensions: dict[str, Any]) -> None:
    sentences = []
    for name, extension in extensions.items():
        needs = set(extension["needs"])
        phases = [phase for phase in entry["phases"] if phase["trains"] and needs <= set(phase["offers"])]
        joined = [f"“{phase['title']}”" for phase in phases]
        obstacle = entry["joins"][name]["both"]
        sentences.append(
            f"{extension['card']['title']} joins {' and '.join(joined)}." if joined and not obstacle else f"{obstacle}."
        )
    _list("What can join", list(dict.fromkeys(sentences)))


def _options(options: dict[str, Any]) -> None:
    if not options:
        return
    st.markdown("**Options**")
    rows = []
    for name, schema in options.items():
        symbol = f"${schema['symbol']}$" if "symbol" in schema else ""
        default = f"{schema['default']} {schema.get('unit', '')}".strip()
        rows.append(f"| `{name}` | {_cell(symbol)} | {default} | {_cell(schema.get('description', ''))} |")
    st.markdown("\n".join(["| option | symbol | default | meaning |", "|---|---|---|---|", *rows]))


def _cell(text: str) -> str:
    """Return Markdown with LaTeX in which a bar, as in p(y|x), does not end a cell of a table."""
    parts = text.split("$")  # formulas are every second part
    parts[::2] = [part.replace("|", "&#124;") for part in parts[::2]]
    parts[1::2] = [part.replace(r"\|", r"\Vert ").replace("|", r"\vert ") for part in parts[1::2]]
    return "$".join(parts)


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _table(frame: pd.DataFrame) -> None:
    st.dataframe(frame, hide_index=True, width="stretch")
