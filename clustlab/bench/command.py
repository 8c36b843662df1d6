"""``clustlab bench``: the commands, thin calls of what lies beside this file."""

from __future__ import annotations

import json
import signal
from collections.abc import Sequence
from math import isfinite
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from clustlab.bench import grid
from clustlab.bench.campaign import fill
from clustlab.bench.table import Row, markdown
from clustlab.errors import SpecError
from clustlab.launch import progress
from clustlab.runs import run_named, runs_folder

__all__ = ["app"]

app = typer.Typer(invoke_without_command=True, add_completion=False, rich_markup_mode=None)
console = Console(stderr=True)

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
    out: Annotated[Path, typer.Option(help="CSV file to write; its protocol is written beside it.")] = Path(
        "bench.csv"
    ),
    jobs: Annotated[int, typer.Option(help="Runs that train at once.", min=1, max=256)] = 1,
    as_markdown: Annotated[bool, typer.Option("--markdown", help="Print means over seeds as Markdown.")] = False,
) -> None:
    """Train what is missing, score everything, print the path of the table last."""
    if context.invoked_subcommand is not None:
        if method or runs:
            raise SpecError(f"write the options of {context.invoked_subcommand} behind its name")
        return
    if not method:
        raise SpecError("say what to compare: --method NAME, which may be given again, or --method all")
    crossed = grid.Grid(
        methods=tuple(method),
        data=tuple(data or ["digits"]),
        extension_sets=grid.extension_sets(extensions),
        seeds=grid.seeds(seeds),
        n_clusters=n_clusters,
        settings=tuple(settings or ()),
    )
    rows = _fill(crossed, runs_folder(runs), out, jobs)
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


def _fill(crossed: grid.Grid, runs: Path, out: Path, jobs: int) -> list[Row]:
    """Fill the table under a progress bar; an interrupt leaves it consistent and exit status 130."""
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with progress.bar(console) as display:
            task = display.add_task("looking for runs", total=None)

            def show(working: Sequence[Row], done: float, total: int) -> None:
                names = ", ".join(f"{row.cell.method} + {row.extensions} · seed {row.cell.seed}" for row in working)
                display.update(task, description=f"{int(done)} of {total} · {names}", completed=done, total=total)

            return fill(crossed, runs, out, jobs, show)
    except KeyboardInterrupt:
        console.print(f"stopped; what is finished is in {out}, and the same command goes on", markup=False)
        raise SystemExit(130) from None
    finally:
        signal.signal(signal.SIGTERM, previous)
