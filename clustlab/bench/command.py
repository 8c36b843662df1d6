"""``clustlab bench``: the commands, thin calls of what lies beside this file."""

from __future__ import annotations

import functools
import json
import signal
from collections.abc import Callable, Sequence
from math import isfinite
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from clustlab.bench import grid
from clustlab.bench.campaign import Workers, fill
from clustlab.bench.cluster import ClusterPool
from clustlab.bench.pool import Pool
from clustlab.bench.speed import PARTS, Measurement, Settings, measure, planned
from clustlab.bench.speed import Row as SpeedRow
from clustlab.bench.speed.against_clustpy import installed
from clustlab.bench.speed.measuring import cells_of
from clustlab.bench.table import SUFFIXES, Row, markdown
from clustlab.errors import SpecError
from clustlab.launch import progress
from clustlab.launch.dask import require
from clustlab.launch.store import Store
from clustlab.runs import run_named, runs_folder

__all__ = ["app"]

app = typer.Typer(invoke_without_command=True, add_completion=False, rich_markup_mode=None)
console = Console(stderr=True)

PROCESS, DASK = "process", "dask"
"""Engines of a benchmark."""

RunsOption = Annotated[Path | None, typer.Option("--runs", help="Folder of runs; else $CLUSTLAB_RUNS, else ./runs.")]


@app.callback(help="Train and score methods × data × extensions × seeds; the result is one table.")
def bench(
    context: typer.Context,
    method: Annotated[list[str] | None, typer.Option(help="Name of a method, or all; may be given again.")] = None,
    data: Annotated[list[str] | None, typer.Option(help="Data source or file; may be given again.")] = None,
    extensions: Annotated[
        str, typer.Option(help="Sets of extensions: none,acai,acai+mixing-consistency are three.")
    ] = grid.NONE,
    seeds: Annotated[str, typer.Option(help="How many, as 5, or which ones, as 0,3,7.")] = "1",
    n_clusters: Annotated[int | None, typer.Option(help="Clusters; else as many as classes.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="name=value as for train, or method.name=value; goes to the cells it concerns."),
    ] = None,
    runs: RunsOption = None,
    out: Annotated[
        Path | None,
        typer.Option(
            help="CSV or Parquet file to write, its protocol beside it; else bench.csv in the folder of runs. Page "
            "Benchmarks draws the tables that lie there."
        ),
    ] = None,
    jobs: Annotated[
        int | None,
        typer.Option(help="Runs that train at once; else 1, or as many as the cluster has workers.", min=1, max=256),
    ] = None,
    engine: Annotated[str, typer.Option(help="process (of this machine) or dask (a cluster).")] = PROCESS,
    address: Annotated[
        str,
        typer.Option(help="Dask scheduler (tcp://host:8786) or its file; else a cluster is started on this machine."),
    ] = "",
    store: Annotated[
        str, typer.Option(help="Object storage (s3://bucket/runs) between clusters without a shared folder and --runs.")
    ] = "",
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print means over seeds as Markdown.")] = False,
) -> None:
    """Train what is missing, score everything, print the path of the table last."""
    if context.invoked_subcommand is not None:
        sources = map(context.get_parameter_source, context.params)
        if any(source is not None and source.name == "COMMANDLINE" for source in sources):
            raise SpecError(f"write the options of {context.invoked_subcommand} behind its name")
        return
    if not method:
        raise SpecError("say what to compare: --method NAME, which may be given again, or --method all")
    out = out or runs_folder(runs) / "bench.csv"
    if out.suffix not in SUFFIXES:
        raise SpecError(f"--out must end in {' or '.join(SUFFIXES)}, and {out.name} does not")
    crossed = grid.Grid(
        methods=tuple(method),
        data=tuple(data or ["digits"]),
        extension_sets=grid.extension_sets(extensions),
        seeds=grid.seeds(seeds),
        n_clusters=n_clusters,
        settings=tuple(settings or ()),
    )
    rows = _fill(
        crossed, runs_folder(runs), out, jobs or (1 if engine == PROCESS else 0), _workers(engine, address, store)
    )
    for text in _remarks(rows):
        console.print(text, markup=False, highlight=False, soft_wrap=True)
    if as_markdown:
        typer.echo(markdown(rows))
    typer.echo(out.resolve())
    if any(row.state not in ("finished", "impossible") for row in rows):
        raise SystemExit(1)


@app.command()
def lines(
    run: Annotated[list[str], typer.Argument(help="Names of runs on the data “lines”, or paths of run folders.")],
    runs: RunsOption = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Measure how well runs interpolate between lines (ACAI paper): mean distance and smoothness, 0 is best."""
    from clustlab.bench.lines import evaluate

    found = [(each, evaluate(each)) for each in (run_named(name, runs_folder(runs)) for name in run)]
    if as_json:
        known = [{name: value for name, value in scores._asdict().items() if isfinite(value)} for _, scores in found]
        content = [
            {"run": each.name, "title": each.title, **more} for (each, _), more in zip(found, known, strict=True)
        ]
        typer.echo(json.dumps(content, indent=2, ensure_ascii=False))
        return
    table = Table("run", "title", "distance × 10³", "smoothness", "undefined", box=None)
    for each, scores in found:
        distance, smoothness, undefined = scores
        table.add_row(each.name, each.title, f"{1e3 * distance:.2f}", f"{smoothness:.3f}", f"{undefined:.1%}")
    Console().print(table)


@app.command()
def speed(
    part: Annotated[
        list[str] | None,
        typer.Option(help=f"What to measure: {', '.join(PARTS)}; may be given again. Without it everything."),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="CSV file to write; its protocol is written beside it.")] = None,
    repeats: Annotated[int, typer.Option(help="Turns that each contestant takes, at most.", min=1, max=1000)] = 25,
    seconds: Annotated[float, typer.Option(help="About how long a turn of the loop lasts.", min=0.01, max=600)] = 0.2,
    threads: Annotated[int, typer.Option(help="CPU threads.", min=1, max=256)] = 1,
    samples: Annotated[
        list[int] | None,
        typer.Option(help="Samples for the memory; may be given again. Else 10,000 and 100,000.", min=1000),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(help="Data source or file for ClustPy; may be given again. Else the digits."),
    ] = None,
) -> None:
    """Measure how fast clustlab is here: training against a bare loop, recording, the live map, memory."""
    asked = Settings(
        *(repeats, seconds, threads), samples=tuple(samples or Settings.samples), data=tuple(data or Settings.data)
    )
    parts, measurements = part or list(PARTS), planned(part or [], asked)
    if "clustpy" in parts and not installed():
        console.print("clustpy: left out, ClustPy is not installed (pip install clustpy)", markup=False)
    minutes = sum(each.seconds for each in measurements) / 60
    console.print(f"{len(measurements)} measurements, about {max(1, round(minutes))} minutes", highlight=False)
    rows = _measured(measurements, asked, parts, out)
    table = Table("part", "what", "setting", "measured", "reference", "ratio", "target", "remark", box=None)
    for row in rows:
        table.add_row(*cells_of(row))
    Console(width=None if console.is_terminal else 200).print(table, markup=False)
    if out is not None:
        typer.echo(out.resolve())


def _measured(
    measurements: Sequence[Measurement], asked: Settings, parts: Sequence[str], out: Path | None
) -> list[SpeedRow]:
    """Measure under a progress bar; an interrupt keeps what has been written, and exits with status 130."""
    try:
        with progress.bar(console) as display:
            task = display.add_task("", total=sum(each.seconds for each in measurements))

            def show(each: Measurement, done: float) -> None:
                display.update(task, description=each.title, completed=done)

            return measure(measurements, asked, parts, out, show)
    except KeyboardInterrupt:
        kept = f"; what was measured is in {out}" if out is not None and out.exists() else ""
        console.print(f"stopped{kept}", markup=False)
        raise SystemExit(130) from None


def _remarks(rows: Sequence[Row]) -> list[str]:
    """Return a line for each thing that went wrong or cannot be; what is so for any seed is said once."""
    noted = [row for row in rows if row.note]
    texts = [
        f"{row.cell.method} + {row.extensions}: impossible, {row.note}"
        if row.state == "impossible"
        else f"{row.cell.method} + {row.extensions}, seed {row.cell.seed}: {row.state}, {row.note}"
        for row in noted
    ]
    return list(dict.fromkeys(texts))


def _workers(engine: str, address: str, store: str) -> Callable[..., Workers]:
    """Return who trains the cells of a table."""
    if engine == PROCESS:
        if address or store:
            raise SpecError("--address and --store are for a Dask cluster; they go with --engine dask")
        return Pool
    if engine != DASK:
        raise SpecError(f"there is no engine “{engine}” for benchmarks; there are {PROCESS} and {DASK}")
    require()
    between = Store(store) if store else None
    if between:
        between.check()
    return functools.partial(ClusterPool, address=address, store=between)


def _fill(crossed: grid.Grid, runs: Path, out: Path, jobs: int, workers: Callable[..., Workers]) -> list[Row]:
    """Fill the table under a progress bar; an interrupt leaves it consistent and exit status 130."""
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with progress.bar(console) as display:
            task = display.add_task("looking for runs", total=None)

            def show(working: Sequence[Row], done: float, total: int) -> None:
                names = ", ".join(f"{row.cell.method} + {row.extensions} · seed {row.cell.seed}" for row in working)
                display.update(task, description=f"{int(done)} of {total} · {names}", completed=done, total=total)

            return fill(crossed, runs, out, jobs, show, workers)
    except KeyboardInterrupt:
        console.print(f"stopped; what is finished is in {out}, and the same command goes on", markup=False)
        raise SystemExit(130) from None
    finally:
        signal.signal(signal.SIGTERM, previous)
