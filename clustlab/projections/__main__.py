"""``python -m clustlab.projections RUN --projection umap``: project a run, live or ended, from the command line."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from typing import TextIO

from clustlab.errors import ClustlabError
from clustlab.projections.cache import PROJECTIONS
from clustlab.projections.follow import project
from clustlab.projections.service import serve

__all__ = ["main"]


def main(arguments: list[str] | None = None) -> int:
    """Project one run, or serve the runs whose folders come in on standard input; return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m clustlab.projections", description=__doc__)
    parser.add_argument("run", nargs="?", help="folder of the run")
    parser.add_argument("--projection", default="umap", choices=list(PROJECTIONS), help="default: umap")
    parser.add_argument("--serve", choices=list(PROJECTIONS), help="project the run folders given on standard input")
    given = parser.parse_args(arguments)
    if given.serve:
        serve(given.serve, sys.stdin, _line(sys.stdout), _line(sys.stderr))
        return 0
    if not given.run:
        parser.error("name the folder of a run")
    try:
        cache = project(
            given.run, given.projection, lambda done, total: sys.stderr.write(f"\r{done} of {total} frames")
        )
    except ClustlabError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stderr.write(f"\r{cache.done - len(cache.problems)} frames are in {cache.folder}\n")
    for file, sentence in cache.problems.items():
        sys.stderr.write(f"{file} is left out: {sentence}\n")
    return 0


def _line(stream: TextIO) -> Callable[[str], None]:
    def write(text: str) -> None:
        stream.write(f"{text}\n")
        stream.flush()

    return write


if __name__ == "__main__":
    sys.exit(main())
