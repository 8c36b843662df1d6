"""The benchmarks page: what was measured, drawn; every figure with the protocol that it came from."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import Any

import pandas as pd
import streamlit as st

from clustlab import catalog
from clustlab.app.access import find_run
from clustlab.bench.grid import NONE
from clustlab.bench.published import published, span
from clustlab.bench.results import (
    READ_OUTS,
    SCORES,
    Results,
    Summary,
    changes,
    changes_everywhere,
    chosen_without_labels,
    column,
    results,
    summary,
)
from clustlab.errors import ClustlabError
from clustlab.figures import benchmark
from clustlab.runs import runs_folder

__all__ = ["page"]

OF_MIXTURE, SILHOUETTE, BY_SILHOUETTE = "ACC of mixture", "silhouette", "ACC by silhouette"

PUBLISHED = "published ACC"

HELP = {
    PUBLISHED: "on these data, with settings of their own; a method's page names the sources",
    OF_MIXTURE: "of a Gaussian mixture with full covariances on the codes",
    SILHOUETTE: "of the method's own clusters among its codes; it needs no labels",
    BY_SILHOUETTE: "of the seed with the widest silhouette: what you get without labels to choose by",
}
"""What columns of the table mean."""

WIDEST_EXTENSION = 160
"""Pixels that “with Mixing consistency” takes."""

TOLD_SETTINGS = 3
"""Settings of a table that its first sentence lists."""


def page() -> None:
    """Draw the page."""
    st.header("Benchmarks")
    there = results()
    if not there:
        table = shlex.quote(str(runs_folder() / "bench.csv"))  # elsewhere this page would not find it
        command = f"clustlab bench --method all --data digits --seeds 5 --out {table}"
        st.info(f"No table has been measured yet; `{command}` writes one.")
        return
    known = catalog.described()
    titles = {name: entry["card"]["title"] for part in known.values() for name, entry in part.items()}
    chosen, score, read_out = _choose(there)
    name, what = column(score, read_out), SCORES[score]
    st.caption(_told(chosen))
    with st.container(key="benchmark-figures"):
        left, right = st.columns(2, gap="large")
        with left:
            _ranking(chosen, name, what, titles, published(chosen.data, score) if not read_out else {})
        with right:
            _changes(chosen, there, name, what, titles)
    _table(chosen, titles)
    _runs(chosen, titles)
    _protocol(chosen)


def _choose(there: list[Results]) -> tuple[Results, str, str]:
    """Let the person choose the data, the score and what the labels come from."""
    data, kind, source = st.columns([4, 3, 5])
    named = {each.title: each for each in there}
    name = data.segmented_control(
        "Data", list(named), default=next(iter(named)), required=True, wrap=True, key="bench-data"
    )
    score = kind.segmented_control(
        "Score", list(SCORES), format_func=SCORES.__getitem__, default="acc", required=True, key="bench-score"
    )
    read_out = source.segmented_control(
        "Labels from",
        list(READ_OUTS),
        format_func=READ_OUTS.__getitem__,
        default="",
        required=True,
        wrap=True,
        key="bench-read-out",
        help="The mixture has full covariances and does not mind long clusters: it tells what codes know from what "
        "k-means can use.",
    )
    return named[name], score, read_out


def _told(chosen: Results) -> str:
    seeds = sorted(chosen.rows["seed"].unique())
    settings = chosen.protocol.get("settings") or []
    more = f" and {len(settings) - TOLD_SETTINGS} more (all in the protocol below)"
    named = ", ".join(f"`{each}`" for each in settings[:TOLD_SETTINGS]) + (more if settings[TOLD_SETTINGS:] else "")
    options = f"with {named}" if settings else "default options"
    return (
        f"{len(chosen.rows)} runs, {_told_seeds(seeds)}, {options}. Every sample is scored; no option, epoch or "
        "restart was chosen by labels. Published figures, where there are any for these data, used settings of their "
        "own."
    )


def _told_seeds(seeds: Sequence[int]) -> str:
    if len(seeds) == 1:
        return f"seed {seeds[0]} only"
    without_gap = seeds[-1] - seeds[0] == len(seeds) - 1
    return f"seeds {seeds[0]}–{seeds[-1]}" if without_gap else f"seeds {', '.join(map(str, seeds))}"


def _ranking(
    chosen: Results, name: str, what: str, titles: dict[str, str], reported: dict[str, list[tuple[str, float]]]
) -> None:
    scores: dict[str, dict[str, Summary]] = {"alone": {}}
    for each in summary(chosen.rows, name):
        scores.setdefault(_joined(each.extensions, titles), {})[titles.get(each.method, each.method)] = each
    st.subheader("Who finds the classes?")
    if not scores["alone"] and len(scores) == 1:
        there = chosen.rows["acc"].notna().any()
        why = "No run on these data has such a score." if there else "There are no classes to find in these data."
        st.caption(f"{why} What else was measured stands in the table.")
        return
    stars = {titles.get(method, method): values for method, values in reported.items()}
    st.plotly_chart(benchmark.ranking(scores, what, stars), key="bench-ranking", config={"displaylogo": False})


def _changes(chosen: Results, there: list[Results], name: str, what: str, titles: dict[str, str]) -> None:
    joined = [each for each in chosen.rows["extensions"].unique() if each != NONE]
    found = {each: changes(chosen.rows, each, name) for each in joined}
    found = {each: pairs for each, pairs in found.items() if pairs}
    if not found:
        return
    st.subheader("What does it change?")
    extension = st.segmented_control(
        "Joined by",
        list(found),
        format_func=lambda each: _joined(each, titles),
        default=next(iter(found)),
        required=True,
        key="bench-extension",
        label_visibility="collapsed",
    )
    everywhere = changes_everywhere(there, extension, name)
    if len(everywhere) > 1 and st.toggle("on all data", key="bench-everywhere"):
        st.caption("Percentage points, mean ± standard deviation over seeds; a mark without a bar is one seed.")
        named = {
            data: {titles.get(each.method, each.method): each for each in found_there}
            for data, found_there in everywhere.items()
        }
        figure = benchmark.changes_by_data(named, what, _joined(extension, titles))
        st.plotly_chart(figure, key="bench-changes-everywhere", config={"displaylogo": False})
        return
    values = {titles.get(method, method): each for method, each in found[extension].items()}
    st.caption(
        "The same method with the same seed, with and without: percentage points, one hollow dot a seed, their mean ± "
        "standard deviation."
    )
    st.plotly_chart(
        benchmark.changes(values, what, _joined(extension, titles)),
        key="bench-changes",
        config={"displaylogo": False},
    )


def _table(chosen: Results, titles: dict[str, str]) -> None:
    st.subheader("The table")
    columns = {**SCORES, "gmm_acc": OF_MIXTURE, "silhouette": SILHOUETTE}
    reported = {(method, NONE): span(values) for method, values in published(chosen.data, "acc").items() if values}
    parts = {name: {each[:2]: each for each in summary(chosen.rows, name)} for name in columns}
    groups = chosen.rows.groupby(["method", "extensions"])
    seeds = {(str(method), str(extensions)): len(rows) for (method, extensions), rows in groups}
    # the best first; data without classes have no ACC, and their kinds of runs are in the table all the same
    kinds = dict.fromkeys([kind for found in parts.values() for kind in found] + list(seeds))
    by_silhouette = chosen_without_labels(chosen.rows, "acc")
    content = [
        {
            "method": titles.get(method, method),
            "joined by": _joined(extensions, titles),
            **{title: str(parts[name].get((method, extensions), "–")) for name, title in columns.items()},
            BY_SILHOUETTE: f"{by_silhouette[method, extensions]:.3f}" if (method, extensions) in by_silhouette else "–",
            "seeds": seeds[method, extensions],
            **({PUBLISHED: reported.get((method, extensions), "–")} if reported else {}),
        }
        for method, extensions in kinds
    ]
    config = {title: st.column_config.Column(help=told) for title, told in HELP.items()}
    config["joined by"] = st.column_config.Column(width=WIDEST_EXTENSION)
    st.dataframe(pd.DataFrame(content), hide_index=True, width="stretch", column_config=config)
    st.download_button(
        "All of it as CSV",
        chosen.path.read_bytes(),
        file_name=chosen.path.name,
        mime="text/csv",
        icon=":material/download:",
        on_click="ignore",
    )


def _runs(chosen: Results, titles: dict[str, str]) -> None:
    """List the cells; those whose runs lie in the runs folder can be opened."""
    with st.expander("Every run of it"):
        rows = chosen.rows
        content = pd.DataFrame(
            {
                "open": [f"./?run={name}" if _is_here(str(name)) else None for name in rows["run"]],
                "method": [titles.get(name, name) for name in rows["method"]],
                "joined by": [_joined(each, titles) for each in rows["extensions"]],
                "seed": rows["seed"],
                **{title: rows[name] for name, title in SCORES.items()},
                "steps": rows["steps"],
                "seconds": rows["wall_s"],
            }
        )
        config = dict.fromkeys(SCORES.values(), st.column_config.NumberColumn(format="%.3f"))
        st.dataframe(
            content,
            hide_index=True,
            width="stretch",
            column_config={
                "open": st.column_config.LinkColumn(display_text="open"),
                **config,
            },
        )
        st.caption("A run can be opened where it lies in the runs folder: on the computer that measured it.")


def _protocol(chosen: Results) -> None:
    with st.expander("How these numbers came about"):
        protocol: dict[str, Any] = chosen.protocol
        st.markdown(
            "\n".join(f"- **{name.replace('_', ' ')}**: {_plain(value)}" for name, value in protocol.items() if value)
        )


def _is_here(run: str) -> bool:
    try:
        find_run(run)
    except ClustlabError:
        return False
    return True


def _joined(extensions: str, titles: dict[str, str]) -> str:
    if extensions == NONE:
        return "alone"
    return "with " + " + ".join(titles.get(part, part) for part in extensions.split("+"))


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return "; ".join(f"{name.replace('_', ' ')} {_plain(each)}" for name, each in value.items())
    if isinstance(value, list):
        return ", ".join(_plain(each) for each in value)
    return f"`{value}`" if isinstance(value, str) and "=" in value else str(value)
