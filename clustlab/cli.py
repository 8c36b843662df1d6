"""The command line: the same runs as in the browser and in Python.

Each command is a thin call of a public function; what it prints for people goes through rich, what scripts read is
JSON on standard output. A refusal is one line on standard error and exit status 1.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer
from rich.console import Console
from rich.table import Table

from clustlab import catalog, data, launch
from clustlab.bench.command import app as bench
from clustlab.errors import ClustlabError, LaunchError, RunError
from clustlab.features.command import features
from clustlab.launch import progress
from clustlab.launch.inline import start as train_here
from clustlab.runs import Run, list_runs, run_named, runs_folder
from clustlab.spec import RunSpec, with_settings

__all__ = ["main"]

app = typer.Typer(
    help="Watch a latent space organise itself: deep clustering, recorded frame by frame.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)
app.add_typer(bench, name="bench")
app.command("features")(features)
console = Console(stderr=True)

RunsOption = Annotated[Path | None, typer.Option("--runs", help="Folder of runs; else $CLUSTLAB_RUNS, else ./runs.")]
RunArgument = Annotated[str, typer.Argument(help="Name of a run in the runs folder, or path of a run folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


def main() -> None:
    """Run the command line; turn refusals into one line and exit status 1."""
    try:
        app()
    except ClustlabError as error:
        console.print(f"clustlab: {error}", style="red", markup=False, highlight=False, soft_wrap=True)
        raise SystemExit(1) from None
    except OSError as error:
        sentence = f"{error.filename or 'a file'}: {error.strerror or error}"
        console.print(f"clustlab: {sentence}", style="red", markup=False, highlight=False, soft_wrap=True)
        raise SystemExit(1) from None


@app.command("app")
def open_app(
    runs: RunsOption = None,
    port: Annotated[int, typer.Option(help="Port of the page.", min=1, max=65535)] = 8501,
    headless: Annotated[bool, typer.Option("--headless", help="Do not open a browser.")] = False,
) -> None:
    """Open the laboratory in the browser."""
    environment = {**os.environ, "CLUSTLAB_RUNS": str(runs_folder(runs))}
    command = [sys.executable, "-m", "streamlit", "run", str(_app_script()), "--server.port", str(port)]
    # Streamlit's welcome comes with advice for people who write apps, on the terminal and over the page.
    command += ["--server.headless", str(headless).lower(), "--logger.hideWelcomeMessage", "true"]
    console.print(f"clustlab is at http://localhost:{port}; Ctrl-C ends it.", highlight=False, soft_wrap=True)
    if os.name == "posix":
        os.execve(sys.executable, command, environment)  # so that who stops this process stops the server
    raise SystemExit(subprocess.call(command, env=environment))


@app.command()
def train(
    method: Annotated[str, typer.Argument(help="Name of a method; `clustlab methods` lists them.")],
    data: Annotated[str, typer.Option(help="Name of a data source, or path of a file.")] = "digits",
    extension: Annotated[list[str] | None, typer.Option(help="Extension that joins; may be given again.")] = None,
    seed: Annotated[int, typer.Option(help="Everything random follows from it.")] = 0,
    n_clusters: Annotated[int | None, typer.Option(help="Clusters; else as many as classes.")] = None,
    settings: Annotated[
        list[str] | None,
        typer.Option("--set", help="name=value for a method option; training.epochs=50 and the like for the rest."),
    ] = None,
    runs: RunsOption = None,
    detach: Annotated[bool, typer.Option("--detach", help="Train in the background and return at once.")] = False,
) -> None:
    """Train a method; print the folder of its run last."""
    spec = RunSpec.parse(
        {"method": method, "data": data, "extensions": extension or [], "seed": seed, "n_clusters": n_clusters}
    )
    spec = with_settings(spec, settings or [])
    if detach:
        typer.echo(launch.launch(spec, runs, "process").folder.path)
        return
    _train_and_watch(launch.submit(spec, runs))


@app.command()
def resume(run: RunArgument, runs: RunsOption = None) -> None:
    """Go on with a run that was paused, stopped, failed or lost."""
    found = _find(run, runs)
    if found.state == "paused":
        launch.resume(found)
        typer.echo(found.folder.path)
        return
    launch.resume(found, start=lambda _: None)
    _train_and_watch(found)


@app.command()
def fork(
    run: RunArgument,
    method: Annotated[str | None, typer.Option(help="Another method that is pretrained in the same way.")] = None,
    extension: Annotated[
        list[str] | None, typer.Option(help="Extensions that join from there on, or none; else the run's own.")
    ] = None,
    settings: Annotated[list[str] | None, typer.Option("--set", help="name=value, as for train.")] = None,
    step: Annotated[
        int | None, typer.Option(help="Step of a checkpoint; else where the last phase began.", min=0)
    ] = None,
    runs: RunsOption = None,
    detach: Annotated[bool, typer.Option("--detach", help="Train in the background and return at once.")] = False,
) -> None:
    """Go on from a checkpoint of a run in another way; the run itself stays as it is."""
    parent = _find(run, runs)
    fields = parent.spec.model_dump()
    if method and method != parent.spec.method:
        fields |= {"method": method, "options": {}}
    if extension is not None:
        fields["extensions"] = {name: fields["extensions"].get(name, {}) for name in extension if name != "none"}
    child = launch.fork(parent, with_settings(RunSpec.parse(fields), settings or []), step=step, runs=runs)
    if detach:
        launch.ENGINES["process"](child.folder.path)
        typer.echo(child.folder.path)
        return
    _train_and_watch(child)


@app.command()
def pause(run: RunArgument, runs: RunsOption = None) -> None:
    """Pause a running run; another run may use its slot meanwhile."""
    launch.pause(_find(run, runs))


@app.command()
def stop(run: RunArgument, runs: RunsOption = None) -> None:
    """Stop a run; it keeps all that it recorded and can be resumed."""
    launch.stop(_find(run, runs))


@app.command("runs")
def print_runs(runs: RunsOption = None, as_json: JsonOption = False) -> None:
    """List the runs in the runs folder, latest first."""
    found = [run.summary() for run in list_runs(runs_folder(runs))]
    if as_json:
        _print_json(found)
        return
    table = Table("run", "state", "ACC", "NMI", "ARI", "frames", "seconds", box=None)
    for run in found:
        scores = [f"{run['metrics'][name]:.3f}" if name in run["metrics"] else "–" for name in ("acc", "nmi", "ari")]
        table.add_row(run["run"], run["state"], *scores, str(run["n_frames"]), f"{run['wall_s']:.0f}")
    Console().print(table)


@app.command()
def show(run: RunArgument, runs: RunsOption = None, as_json: JsonOption = False) -> None:
    """Show a run: status, metrics, protocol."""
    summary = _find(run, runs).summary()
    if as_json:
        _print_json(summary)
        return
    for key, value in summary.items():
        text = json.dumps(value, ensure_ascii=False) if isinstance(value, (dict, list)) else value
        Console().print(f"{key:>12}  {text}", markup=False, highlight=False, soft_wrap=True)


@app.command()
def methods(as_json: JsonOption = False) -> None:
    """List methods and extensions with their options, and which of them go together."""
    known = catalog.described()
    if as_json:
        _print_json(known)
        return
    out = Console()
    for kind, entries in known.items():
        for name, entry in entries.items():
            out.print(f"{name}  ({kind[:-1]}) {entry['card']['title']}: {entry['card']['idea']}", highlight=False)
            for option, schema in entry["options"].items():
                bounds = _bounds(schema)
                unit = f" {schema['unit']}" if "unit" in schema else ""
                out.print(
                    f"    {option} = {schema['default']}{unit}{bounds}  {schema['description']}",
                    markup=False,
                    highlight=False,
                )
    _print_joins(out, known)


@app.command("data")
def print_data(
    name: Annotated[str | None, typer.Argument(help="One of them, or a file or folder: what is in it.")] = None,
    as_json: JsonOption = False,
) -> None:
    """List the data sources; with a name or path load it, fetch it if need be, and say what is in it."""
    if name is not None:
        _print_dataset(name, as_json)
        return
    keys = ("name", "title", "description", "n", "shape", "n_classes")
    found = [{key: getattr(source, key) for key in keys} | _download(source) for source in data.sources()]
    if as_json:
        _print_json(found)
        return
    for source in found:
        shape = "×".join(str(side) for side in source["shape"])
        kept = f" About {source['megabytes']} MB, fetched from {source['origin']}." if "origin" in source else ""
        Console().print(
            f"{source['name']}  {source['n']} samples of {shape}, {source['n_classes']} classes. "
            f"{source['description']}{kept}",
            highlight=False,
        )


@app.command()
def project(
    run: RunArgument,
    projection: Annotated[str, typer.Option(help="umap, pca or plane.")] = "umap",
    runs: RunsOption = None,
) -> None:
    """Lay out the frames of a run in the plane, for the map; follows the run while it lives."""
    found = _find(run, runs)
    _project(found, projection)
    typer.echo(found.folder.projection(projection))


@app.command("export")
def export(
    run: RunArgument,
    target: Annotated[Path, typer.Argument(help="File to write: .zip for the whole run, .html for a replay.")],
    megabytes: Annotated[float | None, typer.Option(help="Size of a replay at most; 25 if not given.", min=1)] = None,
    figures: Annotated[bool, typer.Option(help="Whether a replay carries figures beside the map, or not.")] = True,
    projection: Annotated[
        str | None, typer.Option(help="Have the map of a replay computed first: umap, pca or plane.")
    ] = None,
    runs: RunsOption = None,
) -> None:
    """Write a run as one file: a zip that clustlab opens elsewhere, or an HTML page that any browser plays."""
    if target.exists():
        raise RunError(f"{target} exists already; choose another name")
    found = _find(run, runs)
    match target.suffix.lower():
        case ".zip":
            if megabytes is not None or projection or not figures:
                raise RunError("a zip holds the whole run; --megabytes, --no-figures and --projection are for .html")
            from clustlab.runs.archive import export_run

            export_run(found, target)
        case ".html" | ".htm":
            _export_replay(found, target, megabytes, figures, projection)
        case suffix:
            raise RunError(f"“{suffix or target.name}” is no form that a run can be exported in; write .zip or .html")
    typer.echo(target.resolve())


def _export_replay(found: Run, target: Path, megabytes: float | None, figures: bool, projection: str | None) -> None:
    """Write a replay under a progress bar, and say what it could not carry."""
    from clustlab.sharing.replay import MEGABYTES, export_replay  # loads the drawing library

    if projection:
        _project(found, projection)
    with progress.bar(console) as display:
        task = display.add_task("replay", total=1.0)
        replay = export_replay(
            found,
            target,
            megabytes=megabytes or MEGABYTES,
            panels=figures,
            report=lambda share, what: display.update(task, completed=share, description=what),
        )
    for note in replay.notes:
        console.print(note, markup=False, highlight=False, soft_wrap=True)


@app.command("import")
def import_(
    archive: Annotated[Path, typer.Argument(help="Zip file of a run.")],
    runs: RunsOption = None,
) -> None:
    """Open a run that was exported elsewhere."""
    from clustlab.runs.archive import import_run

    typer.echo(import_run(archive, runs_folder(runs)).folder.path)


def _download(source: data.Source) -> dict[str, Any]:
    """Return from where a source is fetched, and how much that is; nothing for those that come along."""
    return {"origin": source.download.origin, "megabytes": source.download.megabytes} if source.download else {}


def _print_dataset(name: str, as_json: bool) -> None:
    with progress.bar(console) as display:
        task = display.add_task(f"loading {name}", total=None)
        found = data.load(name, lambda message: display.update(task, description=message))
    counts = {} if found.y is None else dict(zip(found.class_names, np.bincount(found.y).tolist(), strict=True))
    told = {"name": found.name, "title": found.title, "n": found.n, "shape": found.shape, "classes": counts}
    told["notes"] = list(found.notes)
    if as_json:
        _print_json(told)
        return
    shape = "×".join(map(str, found.shape))
    Console().print(f"{found.title}: {found.n} samples of {shape}", markup=False, highlight=False)
    for class_name, count in counts.items():
        Console().print(f"  {class_name}  {count} ({count / found.n:.1%})", markup=False, highlight=False)
    for note in found.notes:
        Console().print(note, markup=False, highlight=False)


def _train_and_watch(run: Run) -> None:
    """Train in this process under a progress bar; print metrics, then the folder."""
    asked = threading.Event()

    def ask_to_stop(*_: Any) -> None:
        if asked.is_set():
            raise KeyboardInterrupt  # the second Ctrl-C means it
        asked.set()
        run.folder.ask("stop")

    previous = signal.signal(signal.SIGINT, ask_to_stop)
    try:
        with progress.shown(run, console):
            train_here(run.folder.path)
    finally:
        signal.signal(signal.SIGINT, previous)
    if run.state == "failed":
        raise LaunchError(f"{run.status['error']} ({run.folder.path})")
    scores = "  ".join(f"{name} {value:.4f}" for name, value in run.metrics.items())
    console.print(f"{run.title}: {run.state}  {scores}", markup=False, highlight=False, soft_wrap=True)
    typer.echo(run.folder.path)
    if run.state == "stopped":
        raise SystemExit(130 if asked.is_set() else 0)


def _project(run: Run, projection: str) -> None:
    """Lay out a run's frames under a progress bar."""
    from clustlab.projections.follow import project as project_run  # loads what the projection needs

    with progress.bar(console) as display:
        task = display.add_task(projection, total=len(run.frames))
        project_run(run.folder.path, projection, lambda done, total: display.update(task, completed=done, total=total))


def _find(name: str, runs: Path | None) -> Run:
    return run_named(name, runs_folder(runs))


def _print_joins(out: Console, known: dict[str, dict[str, Any]]) -> None:
    """Print which extensions can join which methods, while pretraining (pre) and clustering (post), and why not."""
    table = Table("method", *known["extensions"], box=None)
    reasons: dict[str, list[str]] = {}
    for name, entry in known["methods"].items():
        joins = entry["joins"].values()
        stages = [[stage for stage in ("pre", "post") if not by_schedule[stage]] for by_schedule in joins]
        table.add_row(name, *[" + ".join(each) or "–" for each in stages])
        for reason in dict.fromkeys(reason for by_schedule in joins for reason in by_schedule.values() if reason):
            reasons.setdefault(reason, []).append(name)
    out.print("\nWhere extensions can join: while pretraining (pre), while clustering (post)\n")
    out.print(table)
    for reason, names in reasons.items():
        out.print(f"{', '.join(names)}: {reason}", markup=False, highlight=False, soft_wrap=True)


def _bounds(schema: dict[str, Any]) -> str:
    if "enum" in schema:
        return f" ({', '.join(schema['enum'])})"
    low, high = schema.get("minimum", schema.get("exclusiveMinimum")), schema.get("maximum")
    return f" ({low} … {high})" if low is not None and high is not None else ""


def _print_json(content: Any) -> None:
    typer.echo(json.dumps(content, indent=2, ensure_ascii=False))


def _app_script() -> Path:
    """Return ``app.py``, from a checkout or an installed wheel; Streamlit finds its settings beside it."""
    package = Path(str(resources.files("clustlab")))
    for script in (package.parent / "app.py", package / "server" / "app.py"):
        if script.is_file():
            return script
    raise LaunchError("app.py is not there; reinstall clustlab")


if __name__ == "__main__":
    main()
