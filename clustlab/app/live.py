"""Following runs: one watcher a run however many look at it, and one mailbox a viewer that never makes anyone wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from clustlab.errors import ClustlabError
from clustlab.projections.cache import read_problems
from clustlab.runs import Frame, Run
from clustlab.runs.reader import JsonLines
from clustlab.views.payload import count_projected, pack_frames

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

__all__ = ["Hub", "Mailbox", "Watcher", "follow_projection", "project_next"]

POLL_SECONDS = 0.1
STATUS_SECONDS = 2.0
"""How often the state is derived anew although no file changed: a worker that died writes nothing."""

REQUEST_SECONDS = 10.0
"""How often the projector is asked again to follow a run that somebody looks at."""


class Mailbox:
    """What one viewer has still to be told.

    Logs only grow, so it is enough to remember how much of each was sent; of everything else, the points of each
    projection among it, only the latest is kept. A slow viewer misses frames (and fetches them later if it scrubs
    there), it never falls behind.

    Parameters
    ----------
    logs : mapping
        The growing lists that all viewers of a run share: ``records``, ``scalars``, ``events``.
    known : mapping
        How many entries of each the viewer has already.
    """

    def __init__(self, logs: Mapping[str, list[dict[str, Any]]], known: Mapping[str, int]) -> None:
        self.projections: tuple[str, ...] = ()
        self._logs = logs
        self._sent = {kind: known.get(kind, 0) for kind in logs}
        self._news: dict[str, Any] = {}
        self._points: dict[str, bytes] = {}
        self._event = asyncio.Event()
        self._event.set()  # there may be something to catch up with

    def put(self, news: Mapping[str, Any]) -> None:
        """Leave news; what is older and of the same kind is replaced, mappings are merged."""
        for kind, content in news.items():
            older = self._news.get(kind)
            self._news[kind] = older | content if isinstance(older, dict) else content
        self._event.set()

    def put_points(self, projection: str, message: bytes) -> None:
        """Leave a frame's points; an older frame that was not fetched yet is dropped."""
        if projection in self.projections:
            self._points[projection] = message
            self._event.set()

    async def take(self) -> tuple[dict[str, Any], list[bytes]]:
        """Wait for something, and return the news and the packed frames."""
        await self._event.wait()
        self._event.clear()
        news, points = self._news, list(self._points.values())
        self._news, self._points = {}, {}
        for kind, log in self._logs.items():
            start, self._sent[kind] = self._sent[kind], max(len(log), self._sent[kind])
            if start < len(log):
                news[kind] = log[start : self._sent[kind]]
        return news, points


class Watcher:
    """Watches one run folder and tells every mailbox what is new.

    Parameters
    ----------
    run : Run
        The run to watch; this object alone reads it.
    """

    def __init__(self, run: Run) -> None:
        self.run = run
        self.mailboxes: set[Mailbox] = set()
        self.logs: dict[str, list[dict[str, Any]]] = {"records": [], "scalars": [], "events": []}
        self.status: dict[str, Any] = {}
        self._events = JsonLines(run.folder.events)
        self._signatures: dict[Path, tuple[int, int]] = {}
        self._status_read = 0.0
        self._asked: dict[str, float] = {}
        self._sent: dict[str, str] = {}

    async def watch(self) -> None:
        """Poll until cancelled; reading happens in a thread."""
        while True:
            wanted = {name for mailbox in self.mailboxes for name in mailbox.projections}
            with suppress(ClustlabError, OSError, ValueError):  # e.g. a folder that is being deleted
                news, points = await asyncio.to_thread(self._look, wanted)
                for mailbox in self.mailboxes:
                    if news:
                        mailbox.put(news)
                    for projection, message in points.items():
                        mailbox.put_points(projection, message)
            await asyncio.sleep(POLL_SECONDS)

    def subscribe(self, mailbox: Mailbox, projections: Iterable[str]) -> None:
        """Change the projections whose points a viewer gets, and have its latest frame sent."""
        mailbox.projections = tuple(projections)
        for name in mailbox.projections:
            self._signatures.pop(self.run.folder.projection(name), None)
            self._sent.pop(name, None)

    def _look(self, wanted: set[str]) -> tuple[dict[str, Any], dict[str, bytes]]:
        """Return what is new since the last look, and the latest points of the projections wanted."""
        folder = self.run.folder
        news: dict[str, Any] = {}
        if self._changed(folder.status) or time.monotonic() - self._status_read > STATUS_SECONDS:
            status, self._status_read = self.run.status, time.monotonic()
            if status != self.status:
                news["status"] = self.status = status
        if self._changed(folder.about):
            news["about"] = self.run.about | {"title": self.run.title}
        if self._changed(folder.sample):
            news["has_sample"] = True
        if self._changed(folder.frame_index):
            news["n_records"] = self._extend("records", self.run.frames.records())
        if self._changed(folder.scalars):
            news["n_scalars"] = self._extend("scalars", self.run.scalar_records)
        if self._changed(folder.events):
            news["n_events"] = self._extend("events", self.logs["events"] + self._events.poll())
        points = {}
        for projection in wanted:
            # whatever is wrong with one projection, the viewers still hear of everything else
            with suppress(ClustlabError, OSError, ValueError):
                if message := self._points(projection, news):
                    points[projection] = message
        return news, points

    def _points(self, projection: str, news: dict[str, Any]) -> bytes:
        """Return the latest points of a projection if there are new ones; has the projector follow the run."""
        follow_projection(self.run, projection, self._asked)
        path = self.run.folder.projection(projection)
        if not self._changed(path) and "n_records" not in news:
            return b""
        problems = read_problems(self.run.folder, projection)
        numbers = {Path(record["file"]).name: record["frame"] for record in self.run.frames.records()}
        news.setdefault("projected", {})[projection] = {
            "n_frames": count_projected(path),
            "problems": {numbers[file]: sentence for file, sentence in problems.items() if file in numbers},
        }
        return self._latest(projection, path)

    def _latest(self, projection: str, path: Path) -> bytes:
        """Points of the latest projected frame, unless they were sent before."""
        names = {entry.name for entry in path.glob("[0-9]*.npz")}
        for record in reversed(self.run.frames.records()):
            if record["file"] in names:
                if self._sent.get(projection) == record["file"]:
                    return b""
                self._sent[projection] = record["file"]
                return pack_frames(self.run, projection, [Frame(self.run.folder, record)])
        return b""

    def _extend(self, kind: str, records: list[dict[str, Any]]) -> int:
        """Append to a log what it lacks, in place: the mailboxes share it."""
        self.logs[kind] += records[len(self.logs[kind]) :]
        return len(self.logs[kind])

    def _changed(self, path: Path) -> bool:
        """Whether a file (or a folder's list of files) differs from the last look."""
        try:
            state = path.stat()
        except OSError:
            return False
        signature = (state.st_mtime_ns, state.st_size)
        changed = self._signatures.get(path) != signature
        self._signatures[path] = signature
        return changed


class Hub:
    """All watchers of this server: made when somebody looks at a run, ended when nobody does any more."""

    def __init__(self) -> None:
        self._watchers: dict[Path, tuple[Watcher, asyncio.Task[None]]] = {}

    @asynccontextmanager
    async def join(self, run: Run, known: Mapping[str, int]) -> AsyncIterator[tuple[Watcher, Mailbox]]:
        """Look at a run: gives its watcher and a mailbox of one's own; see :class:`Mailbox` for ``known``."""
        path = run.folder.path
        if path not in self._watchers:
            fresh = Watcher(run)
            self._watchers[path] = (fresh, asyncio.create_task(fresh.watch()))
        watcher, task = self._watchers[path]
        mailbox = Mailbox(watcher.logs, known)
        if watcher.status:
            mailbox.put({"status": watcher.status})
        watcher.mailboxes.add(mailbox)
        try:
            yield watcher, mailbox
        finally:
            watcher.mailboxes.discard(mailbox)
            if not watcher.mailboxes:
                self._watchers.pop(path, None)
                task.cancel()


def follow_projection(run: Run, projection: str, asked: dict[str, float]) -> None:
    """Ask the projector to follow a run, unless it was asked a moment ago or has nothing left to do."""
    if time.monotonic() - asked.get(projection, -REQUEST_SECONDS) < REQUEST_SECONDS:
        return
    asked[projection] = time.monotonic()
    folder = run.folder
    dealt_with = count_projected(folder.projection(projection)) + len(read_problems(folder, projection))
    if dealt_with < len(run.frames) or run.lives:
        from clustlab.projections import service  # starting a projector is not needed to look at a finished run

        service.request(folder.path, projection)


def project_next(run: Run, projection: str, number: int) -> None:
    """Ask the projector for the frame that somebody looks at, unless it has been dealt with or is not recorded.

    Parameters
    ----------
    run : Run
        The run.
    projection : str
        Name of the projection.
    number : int
        Number of the frame.

    Raises
    ------
    ProjectionError
        If there is no such projection.
    """
    records = run.frames.records()
    if number >= len(records):
        return
    file, folder = Path(records[number]["file"]).name, run.folder
    if not (folder.projection(projection) / file).exists() and file not in read_problems(folder, projection):
        from clustlab.projections import service  # as above

        service.request(folder.path, projection, number)
