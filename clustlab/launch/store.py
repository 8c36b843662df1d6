"""Run folders in object storage (S3 and the like, through fsspec), for clusters whose machines share no folder.

A worker trains in a folder of its own and sends what is new of it to the store every few seconds. A lock file would
hold nobody back there: a worker that is alive renews a lease instead, and one that waits for it takes over when the
lease has not been renewed for a while. Requests (``control``) go the other way.
"""

from __future__ import annotations

import contextlib
import itertools
import json
import secrets
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from clustlab.errors import LaunchError
from clustlab.runs.layout import RunFolder, write_aside

__all__ = ["Store", "held"]

LEASE, CONTROL = "worker.lease", "control"

NOT_SENT = frozenset({LEASE, CONTROL, "worker.lock"})
"""Files that concern those who are at work on a run, not the run."""

RENEW_SECONDS = 2.0


@dataclass(frozen=True)
class Store:
    """A place for run folders.

    Attributes
    ----------
    url : str
        As fsspec understands it: ``s3://bucket/runs``, ``gs://bucket/runs``.
    lease_seconds : float
        A worker that has not renewed its lease for so long is taken for dead.
    """

    url: str
    lease_seconds: float = 120.0

    def check(self) -> None:
        """Refuse a place that cannot be reached.

        Raises
        ------
        LaunchError
            Unknown kind of storage, a package for it that is missing, no access.
        """
        with self._reached():
            files, root = self._files()
            files.makedirs(root, exist_ok=True)

    def send(self, folder: Path, sent: dict[str, tuple[int, int]]) -> None:
        """Send what is new of a run folder, in such an order that what has arrived can be gone on from at any time.

        Parameters
        ----------
        folder : Path
        sent : dict
            Time and size of the files that are there, by name; kept up to date.
        """
        files, root = self._files()
        found = {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}
        there = {name: path for name, path in found.items() if _is_of_the_run(name)}
        new = []
        # What rests on something else is read before it and sent after it: a checkpoint on the records up to its step,
        # a line on the frame that it names.
        for name, path in sorted(there.items(), key=lambda item: _rank(item[0])):
            with contextlib.suppress(FileNotFoundError):  # an old checkpoint, thrown away just now
                about = path.stat()
                mark = about.st_mtime_ns, about.st_size
                if sent.get(name) != mark:
                    new.append((name, mark, path.read_bytes()))
        for parent in {PurePosixPath(name).parent for name, _, _ in new}:
            files.makedirs(f"{root}/{folder.name}/{parent}", exist_ok=True)
        for name, mark, content in reversed(new):
            _put(files, f"{root}/{folder.name}/{name}", content)
            sent[name] = mark
        for name in set(sent) - set(there):
            files.rm_file(f"{root}/{folder.name}/{name}")
            del sent[name]

    def fetch(self, folder: Path) -> dict[str, tuple[int, int]]:
        """Bring a local run folder up to what is in the store; return what :meth:`send` takes for sent."""
        files, root = self._files()
        place = f"{root}/{folder.name}"
        found = {str(PurePosixPath(path).relative_to(place)): path for path in files.find(place)}
        there = {name: path for name, path in found.items() if _is_of_the_run(name)}
        sent = {}
        for name, path in sorted(there.items(), key=lambda item: _rank(item[0]), reverse=True):
            local = folder / name
            if not (name.startswith("frames/") and local.exists()):  # a frame never changes
                content = files.cat_file(path)
                local.parent.mkdir(parents=True, exist_ok=True)
                write_aside(local, lambda stream, content=content: stream.write(content))  # type: ignore[misc]
            about = local.stat()
            sent[name] = about.st_mtime_ns, about.st_size
        for old in RunFolder(folder).checkpoints.glob("*.pt"):
            if f"checkpoints/{old.name}" not in there:
                old.unlink()
        return sent

    def fetch_status(self, folder: Path) -> None:
        """Bring only the ``status.json`` of a local run folder up to what is in the store."""
        content = self._read(folder.name, "status.json")
        if content:
            write_aside(RunFolder(folder).status, lambda stream: stream.write(content))

    def offer(self, folder: Path) -> None:
        """Make a local run folder and the store agree, after the one that was written to later; nobody is at work.

        Raises
        ------
        LaunchError
            If the store cannot be reached.
        """
        with self._reached():
            local = json.loads(RunFolder(folder).status.read_text())["heartbeat"]
            stored = json.loads(self._read(folder.name, "status.json") or b"{}").get("heartbeat", "")
            if stored > local:
                self.fetch(folder)
            elif stored < local:
                self.send(folder, {})
            self._remove(folder.name, CONTROL)

    def bring(self, folder: Path) -> None:
        """Fetch a run whose worker has ended.

        Raises
        ------
        LaunchError
            If the store cannot be reached.
        """
        with self._reached():
            self.fetch(folder)

    def ask(self, name: str, word: str) -> None:
        """Ask the worker of a run for something, such as ``stop``."""
        self._write(name, CONTROL, word.encode())

    def requested(self, name: str) -> str:
        """Return what somebody has asked for (empty if nobody has), and take it off the table."""
        word = self._read(name, CONTROL).decode()
        if word:
            self._remove(name, CONTROL)
        return word

    def acquire(self, name: str) -> str:
        """Wait until nobody renews the lease of a run, take it, and return what tells it apart from others' leases."""
        mine = secrets.token_hex(8)
        while True:
            seen, since = self._read(name, LEASE), time.monotonic()
            # Clocks of two machines differ: what counts is how long one sees no change oneself.
            while seen and (now := self._read(name, LEASE)):
                if now != seen:
                    seen, since = now, time.monotonic()
                elif time.monotonic() - since > self.lease_seconds:
                    break
                time.sleep(min(RENEW_SECONDS, self.lease_seconds / 10))
            self.renew(name, mine, 0)
            time.sleep(min(RENEW_SECONDS, self.lease_seconds / 10))  # another one may have seen the same
            if self.is_held(name, mine):
                return mine

    def renew(self, name: str, mine: str, count: int) -> None:
        """Show that the holder of a lease is alive; each count differs from the one before."""
        self._write(name, LEASE, f"{mine} {count}".encode())

    def is_held(self, name: str, mine: str) -> bool:
        """Whether a lease is still one's own."""
        return self._read(name, LEASE).decode().partition(" ")[0] == mine

    def release(self, name: str) -> None:
        """Give a lease back."""
        self._remove(name, LEASE)

    @contextlib.contextmanager
    def _reached(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # each kind of storage has errors of its own
            raise LaunchError(
                f"the store {self.url} cannot be reached ({type(error).__name__}: {error}); it must be an address that "
                "fsspec knows, such as s3://bucket/runs, and its package (s3fs, gcsfs, adlfs) must be installed"
            ) from error

    def _files(self) -> tuple[Any, str]:
        from fsspec.core import url_to_fs  # type: ignore[import-untyped]

        # Others write there too: what was listed a moment ago says nothing.
        files, root = url_to_fs(self.url.rstrip("/"), use_listings_cache=False, skip_instance_cache=True)
        return files, str(root)

    def _read(self, name: str, file: str) -> bytes:
        files, root = self._files()
        try:
            return bytes(files.cat_file(f"{root}/{name}/{file}"))
        except FileNotFoundError:
            return b""

    def _write(self, name: str, file: str, content: bytes) -> None:
        files, root = self._files()
        files.makedirs(f"{root}/{name}", exist_ok=True)
        _put(files, f"{root}/{name}/{file}", content)

    def _remove(self, name: str, file: str) -> None:
        files, root = self._files()
        with contextlib.suppress(FileNotFoundError):
            files.rm_file(f"{root}/{name}/{file}")


@contextlib.contextmanager
def held(store: Store, folder: Path) -> Iterator[None]:
    """Have a run folder for oneself for the length of a ``with`` block, fetched before and sent as it changes.

    Parameters
    ----------
    store : Store
    folder : Path
        Where the run is to be trained; its name is that of the run.

    Raises
    ------
    LaunchError
        If there is no such run; at the end, if somebody else has taken over meanwhile: what has become of the run is
        for that one to say.
    """
    mine = store.acquire(folder.name)
    sent = store.fetch(folder)
    if not RunFolder(folder).spec.exists():
        store.release(folder.name)
        raise LaunchError(f"there is no run {folder.name} in {store.url}")
    copy = _Copy(store, folder, mine, sent)
    copy.start()
    try:
        yield
    finally:
        copy.end()
    if copy.lost:
        raise LaunchError(f"another worker has taken over {folder.name}, as this one could not reach {store.url}")


class _Copy(threading.Thread):
    """Keeps the lease of a run, and its copy in a store, fresh until it is told to end."""

    def __init__(self, store: Store, folder: Path, mine: str, sent: dict[str, tuple[int, int]]) -> None:
        super().__init__(name=f"copy of {folder.name}", daemon=True)
        self.store, self.folder, self.mine, self.sent = store, folder, mine, sent
        self.lost = False
        self._over = threading.Event()

    def end(self) -> None:
        """Send what is new for the last time, give the lease back, and wait for both."""
        self._over.set()
        self.join()

    def run(self) -> None:
        """Go round until the end, or until others must take this worker for dead; then have the run stopped."""
        since = time.monotonic()
        for count in itertools.count(1):
            last = self._over.wait(RENEW_SECONDS)
            try:
                if not self._round(count):
                    break
                if last:
                    return self.store.release(self.folder.name)
                since = time.monotonic()
            except Exception:  # a network that fails now may work again in time
                if time.monotonic() - since > self.store.lease_seconds / 2:
                    break
                time.sleep(RENEW_SECONDS if last else 0)
        self.lost = True
        RunFolder(self.folder).ask("stop")

    def _round(self, count: int) -> bool:
        """Renew the lease, take a request over, send what is new; return whether the lease is still one's own."""
        name = self.folder.name
        if not self.store.is_held(name, self.mine):
            return False
        self.store.renew(name, self.mine, count)
        if word := self.store.requested(name):
            RunFolder(self.folder).ask(word)
        self.store.send(self.folder, self.sent)
        return True


def _put(files: Any, place: str, content: bytes) -> None:
    """Write a file so that readers see the old or the new one: object storage does so itself, a folder does not."""
    if "file" in files.protocol:
        write_aside(Path(place), lambda stream: stream.write(content))
    else:
        files.pipe_file(place, content)


def _is_of_the_run(name: str) -> bool:
    path = PurePosixPath(name)
    return path.name not in NOT_SENT and path.parts[0] != "cache" and not path.name.startswith(".")


def _rank(name: str) -> int:
    """Return the place of a file in the order of reading: what rests on others comes before them."""
    order = ("status.json", "result.npz")
    if name in order:
        return order.index(name)
    return 2 if name.startswith("checkpoints/") else 3 if name.endswith(".jsonl") else 4
