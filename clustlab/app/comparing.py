"""What the compare page asks the server for; everything lies under ``/clustlab/compare/`` and names its runs."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from clustlab.app.access import find_run
from clustlab.runs import Run
from clustlab.views import payload

__all__ = ["answers"]

FEWEST, MOST = 2, 4

HEADERS = {"Cache-Control": "no-store"}

Answer = Callable[[Request], Awaitable[Response]]


def answers() -> Mapping[str, Answer]:
    """Return the addresses, below ``/clustlab/``, and who answers there."""
    return {"compare/matching": _matching, "compare/samples": _samples, "compare/figures/{name}": _figure}


def _runs(request: Request) -> list[Run]:
    names = request.query_params.get("runs", "").split(",")
    if not FEWEST <= len(names) <= MOST:
        raise ValueError(f"{FEWEST} to {MOST} runs can be compared, as in ?runs=this,that")
    return [find_run(name) for name in names]


def _frames(request: Request, runs: list[Run]) -> list[int]:
    """Return the frame of each run that is looked at."""
    texts = request.query_params.get("frames", "").split(",")
    if len(texts) != len(runs) or not all(re.fullmatch(r"\d{1,7}", text) for text in texts):
        raise ValueError("frames are the numbers of one frame a run, as in frames=12,30")
    frames = [int(text) for text in texts]
    for run, frame in zip(runs, frames, strict=True):
        if frame >= len(run.frames):
            raise ValueError(f"there is no frame {frame}; the run {run.name} has {len(run.frames)} frames")
    return frames


def _place(request: Request) -> float:
    text = request.query_params.get("place", "1")
    if not re.fullmatch(r"(0|1)(\.\d{1,6})?", text) or float(text) > 1:
        raise ValueError("place is where the common time line stands, 0 to 1")
    return float(text)


async def _answer(ask: Callable[[], Any]) -> Response:
    content = await asyncio.to_thread(ask)
    body = content if isinstance(content, bytes) else payload.plain(content)
    return Response(body, media_type="application/json", headers=HEADERS)


async def _matching(request: Request) -> Response:
    def ask() -> Any:
        from clustlab.views import compared_runs  # needs plotly; a page that compares nothing does not

        return compared_runs.matching(_runs(request))

    return await _answer(ask)


async def _samples(request: Request) -> Response:
    def ask() -> Any:
        from clustlab.views import compared_runs

        runs = _runs(request)
        return compared_runs.samples(runs, _frames(request, runs))

    return await _answer(ask)


async def _figure(request: Request) -> Response:
    def ask() -> bytes:
        from clustlab.views import compared_figures

        runs = _runs(request)
        figure = compared_figures.draw_compared(
            runs,
            request.path_params["name"],
            _frames(request, runs),
            _place(request),
            request.query_params.get("share", "true") == "true",
        )
        return str(figure.to_json()).encode()

    return await _answer(ask)
