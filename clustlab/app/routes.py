"""What the components of a page ask the server for, and what it pushes to them; everything lies under ``/clustlab/``.

All handlers check who asks (:mod:`clustlab.app.access`), answer errors as ``{"error": sentence}``, and read files and
draw figures in threads, so that one slow request holds up nobody else.
"""

from __future__ import annotations

import asyncio
import json
import logging
import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect
from streamlit import config

from clustlab.app import comparing
from clustlab.app.access import AccessError, check_caller, find_run
from clustlab.app.components import assets
from clustlab.app.control import control
from clustlab.app.live import Hub, Mailbox, project_next
from clustlab.errors import ClustlabError, RunError
from clustlab.runs import Run
from clustlab.views import payload

__all__ = ["routes"]

IMMUTABLE = {"Cache-Control": "private, max-age=31536000, immutable"}
RECORDED = {"Cache-Control": "private, max-age=3600, immutable"}
FRESH = {"Cache-Control": "no-store"}

MAX_FRAMES = 64
"""Frames in one binary batch at most."""

KEPT_FIGURES = 128

NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,40}")

LOGGER = logging.getLogger(__name__)

Answer = Callable[[Request], Awaitable[Response]]


def routes() -> list[BaseRoute]:
    """Return the routes to hand to ``streamlit.App``: static files, recorded frames, figures, and the live socket."""
    hub, drawings = Hub(), Drawings()
    prefix = "/".join(["", *str(config.get_option("server.baseUrlPath") or "").strip("/").split("/")]).rstrip("/")
    answers: dict[str, Answer] = {
        "static/{version}/{file}": _static,
        "runs/{run}/about": _about,
        "runs/{run}/sample": _sample,
        "runs/{run}/thumbnails": _thumbnails,
        "runs/{run}/beliefs/{frame:int}": _beliefs,
        "runs/{run}/log": _log,
        "runs/{run}/points/{projection}": _points,
        "runs/{run}/panels": _panels,
        "runs/{run}/figures/{panel}": drawings.answer,
        **comparing.answers(),
    }
    found: list[BaseRoute] = [
        Route(f"{prefix}/clustlab/{path}", _guarded(answer), methods=["GET"]) for path, answer in answers.items()
    ]
    found.append(Route(f"{prefix}/clustlab/runs/{{run}}/control", _guarded(_control), methods=["POST"]))

    async def live(socket: WebSocket) -> None:
        await _live(socket, hub)

    found.append(WebSocketRoute(f"{prefix}/clustlab/runs/{{run}}/live", live))
    return found


def _guarded(answer: Answer) -> Answer:
    """Check the caller first, and turn errors that are meant for people into JSON."""

    async def handler(request: Request) -> Response:
        try:
            check_caller(request)
            return await _answered(answer, request)
        except AccessError as error:
            return JSONResponse({"error": str(error)}, 403)
        except RunError as error:
            return JSONResponse({"error": str(error)}, 404)
        except (ClustlabError, ValueError) as error:
            return JSONResponse({"error": str(error)}, 400)
        except Exception:
            LOGGER.exception("%s could not be answered", request.url.path)
            return JSONResponse({"error": "the server could not answer this; its log tells why"}, 500)

    return handler


async def _answered(answer: Answer, request: Request) -> Response:
    try:
        return await answer(request)
    except SystemError:
        if request.method != "GET":
            raise
        # NumPy reads headers with `ast`, which CPython 3.11 sometimes refuses where several threads do so at once
        # (github.com/python/cpython/issues/106905); there is nothing wrong with the file
        return await answer(request)


async def _run(connection: HTTPConnection) -> Run:
    return await asyncio.to_thread(find_run, connection.path_params["run"])


def _json(content: Any, headers: dict[str, str] = FRESH) -> Response:
    return Response(payload.plain(content), media_type="application/json", headers=headers)


def _whole(request: Request, name: str, default: int) -> int:
    """Return a query parameter that must be a whole number."""
    text = request.query_params.get(name, str(default))
    if not re.fullmatch(r"-?\d{1,9}", text):
        raise ValueError(f"{name} must be a whole number")
    return int(text)


async def _static(request: Request) -> Response:
    found = await asyncio.to_thread(assets.read, request.path_params["file"])
    if found is None:
        return JSONResponse({"error": "there is no such file"}, 404)
    content, media_type = found
    # the address holds a hash of all the files: another version of the code has another address
    current = request.path_params["version"] == assets.version()
    return Response(content, media_type=media_type, headers=IMMUTABLE if current else FRESH)


async def _about(request: Request) -> Response:
    run = await _run(request)
    return _json(await asyncio.to_thread(payload.describe, run))


async def _sample(request: Request) -> Response:
    run = await _run(request)
    return _json(await asyncio.to_thread(payload.describe_sample, run), RECORDED)


async def _thumbnails(request: Request) -> Response:
    run = await _run(request)
    content = await asyncio.to_thread(payload.thumbnails, run)
    return Response(content, media_type="application/octet-stream", headers=RECORDED)


async def _beliefs(request: Request) -> Response:
    run = await _run(request)
    content = await asyncio.to_thread(payload.beliefs, run, request.path_params["frame"])
    return Response(content, media_type="application/octet-stream", headers=RECORDED)


async def _log(request: Request) -> Response:
    run = await _run(request)
    return _json({"log": await asyncio.to_thread(payload.log_tail, run)})


async def _control(request: Request) -> Response:
    run = await _run(request)
    return _json(await asyncio.to_thread(control, run, await request.body()))


async def _points(request: Request) -> Response:
    """``points/{projection}?frames=first-last&shown=``: both ends included.

    ``shown`` is the number of the frame that the viewer looks at; it is projected next if it has no coordinates.
    """
    run = await _run(request)
    projection = request.path_params["projection"]
    asked = re.fullmatch(r"(\d{1,7})-(\d{1,7})", request.query_params.get("frames", ""))
    if not NAME.fullmatch(projection) or not asked:
        raise ValueError("points are asked for as points/umap?frames=0-31")
    first, last = int(asked[1]), int(asked[2])
    if not 0 <= last - first < MAX_FRAMES:
        raise ValueError(f"a batch holds 1 to {MAX_FRAMES} frames")
    shown = request.query_params.get("shown")
    if shown is not None and not re.fullmatch(r"[0-9]{1,7}", shown):
        raise ValueError("shown must be the number of a frame")

    def read() -> tuple[bytes, bool]:
        if shown is not None:
            project_next(run, projection, int(shown))
        frames = run.frames[first : last + 1]
        message = payload.pack_frames(run, projection, frames)
        length = int.from_bytes(message[:4], "little")
        return message, len(json.loads(message[4 : 4 + length])["frames"]) == last - first + 1

    message, complete = await asyncio.to_thread(read)
    return Response(message, media_type="application/octet-stream", headers=RECORDED if complete else FRESH)


async def _panels(request: Request) -> Response:
    run, frame = await _run(request), _whole(request, "frame", -1)

    def read() -> list[Any]:
        from clustlab import views  # needs plotly; a page that shows no figure does not

        return views.panels(run, frame)

    return _json({"panels": await asyncio.to_thread(read)})


class Drawings:
    """Figures as JSON; what several viewers ask for at once is drawn once, and the latest are kept."""

    def __init__(self) -> None:
        self._tasks: OrderedDict[tuple[Any, ...], asyncio.Task[bytes]] = OrderedDict()

    async def answer(self, request: Request) -> Response:
        """``figures/{panel}?frame=&selected=&other=&…``: further parameters are options of the figure."""
        run = await _run(request)
        options = {key: _option(value) for key, value in request.query_params.items()}
        frame, selected = _whole(request, "frame", -1), options.pop("selected", None)
        options.pop("frame", None)
        panel = request.path_params["panel"]
        if not NAME.fullmatch(panel):
            raise ValueError("there is no panel of this name")
        # a finished run's folder does not change, so that its number of frames tells whether a drawing is still true
        key = (run.folder.path, len(run.frames), panel, frame, selected, *sorted(options.items()))
        task = self._tasks.get(key)
        if task is None:
            task = asyncio.create_task(asyncio.to_thread(_draw, run, panel, frame, selected, options))
            task.add_done_callback(lambda done: self._tasks.pop(key, None) if done.exception() else None)
            self._tasks[key] = task
            if len(self._tasks) > KEPT_FIGURES:
                self._tasks.popitem(last=False)
        try:
            content = await asyncio.shield(task)
        except ClustlabError as error:
            from clustlab import views  # whatever drew has loaded it

            if not isinstance(error, views.NothingToShow):
                raise
            content = payload.plain({"unavailable": str(error)})
        return Response(content, media_type="application/json", headers=FRESH)


def _option(text: str) -> Any:
    """Return a query parameter as the figure wants it: numbers and booleans are no texts."""
    return json.loads(text) if re.fullmatch(r"-?\d{1,9}(\.\d{1,9})?|true|false|null", text) else text


def _draw(run: Run, panel: str, frame: int, selected: Any, options: dict[str, Any]) -> bytes:
    """Return a figure as JSON, or ``{"unavailable": sentence}`` where the frame has not recorded what it needs."""
    from clustlab import views

    known = next((entry for entry in views.panels(run, frame) if entry["name"] == panel), None)
    if known is not None and not known["available"]:
        return payload.plain({"unavailable": payload.absence(run, known["from_phase"])})
    return str(views.draw(run, panel, frame=frame, selected=selected, **options).to_json()).encode()


async def _live(socket: WebSocket, hub: Hub) -> None:
    """Push status, records and points of a run until the viewer goes or the server stops.

    The viewer may send ``{"projections": [names]}`` at any time to say whose points it wants.
    """
    try:
        check_caller(socket)
        run = await _run(socket)
    except ClustlabError as error:
        # a socket that is accepted and then closed can tell the reason; one that is refused cannot
        if isinstance(error, AccessError):
            await socket.close(1008)
            return
        await socket.accept()
        await socket.send_text(json.dumps({"error": str(error)}))
        await socket.close(1008)
        return
    await socket.accept()
    known = {kind: int(text) for kind, text in socket.query_params.items() if re.fullmatch(r"\d{1,9}", text)}
    async with hub.join(run, known) as (watcher, mailbox):
        watcher.subscribe(mailbox, _names(socket.query_params.get("projections", "").split(",")))
        tasks = {
            asyncio.create_task(_send(socket, mailbox)),
            asyncio.create_task(_receive(socket, lambda names: watcher.subscribe(mailbox, names))),
        }
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.wait(tasks)
    with suppress(RuntimeError, WebSocketDisconnect):
        await socket.close()


async def _send(socket: WebSocket, mailbox: Mailbox) -> None:
    """Send what the mailbox holds; returns when the viewer is gone."""
    with suppress(WebSocketDisconnect, RuntimeError):
        while True:
            news, points = await mailbox.take()
            if news:
                await socket.send_text(payload.plain(news).decode())
            for message in points:
                await socket.send_bytes(message)


async def _receive(socket: WebSocket, subscribe: Callable[[list[str]], None]) -> None:
    """Read what the viewer says; returns when it is gone, which is also how a stopping server ends the handler."""
    with suppress(WebSocketDisconnect):
        while True:
            try:
                said = json.loads(await socket.receive_text())
                subscribe(_names(said["projections"]))
            except (ValueError, KeyError, TypeError):
                continue


def _names(given: Any) -> list[str]:
    return [name for name in given if isinstance(name, str) and NAME.fullmatch(name)][:4]
