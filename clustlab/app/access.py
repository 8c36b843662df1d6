"""Who may ask, and for what: the checks that Streamlit makes for its own routes and that ours must make themselves."""

from __future__ import annotations

import ipaddress
import platform
import re
from pathlib import Path
from urllib.parse import urlsplit

from starlette.requests import HTTPConnection
from streamlit import config

from clustlab.data.assets import assets_folder
from clustlab.errors import ClustlabError, RunError
from clustlab.runs import Run, runs_folder

__all__ = ["AccessError", "check_caller", "example_runs", "find_example", "find_run"]

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
IDENTIFIER = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,120}")


class AccessError(ClustlabError):
    """A request that comes from another site, or that names a host which this server does not answer for."""


def example_runs() -> Path:
    """Return the folder of the recorded runs that are shipped with clustlab and opened by lessons."""
    return assets_folder() / "runs"


def find_run(name: str) -> Run:
    """Return the run with an identifier: a direct child of the runs folder, or of the examples.

    Parameters
    ----------
    name : str
        The identifier as it stands in an address; never a path.

    Raises
    ------
    RunError
        If the identifier is malformed, or no such run exists.
    """
    if IDENTIFIER.fullmatch(name):
        for folder in (runs_folder(), example_runs()):
            path = folder / name
            # a link inside the runs folder must not lead out of it
            if (path / "spec.json").is_file() and path.resolve().parent == folder.resolve():
                return Run(path)
    raise RunError("there is no run of this name in the runs folder")


def find_example(name: str) -> Run:
    """Return a recorded run that comes with clustlab.

    Parameters
    ----------
    name : str
        Name of its folder.

    Raises
    ------
    RunError
        If no such run came along, or a run of one's own stands in its place: whatever asks by name gets that one.
    """
    found = find_run(name)
    if found.folder.path.parent != Path(example_runs()).resolve():
        raise RunError(f"a run of your own has the name of the recorded one, {name}; rename its folder")
    return found


def check_caller(connection: HTTPConnection) -> None:
    """Refuse what another web site could make a browser ask for.

    The ``Host`` must be a name of this computer, which defeats names that were re-bound to it, and ``Origin``,
    which browsers send with every WebSocket, must be the very same host and port.

    Raises
    ------
    AccessError
        If either does not hold.
    """
    host = connection.headers.get("host", "")
    if _name(host) not in LOOPBACK and not _served_under(_name(host)):
        raise AccessError("this server does not answer for the host name that was asked for")
    origin = connection.headers.get("origin")
    if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
        raise AccessError("requests from other sites are refused")


def _name(host: str) -> str:
    """Host name without port; ``[::1]:8501`` gives ``::1``."""
    return (urlsplit(f"//{host}").hostname or "").lower()


def _served_under(name: str) -> bool:
    """Whether Streamlit is bound so that it may be reached under a name that is not the loopback."""
    address = str(config.get_option("server.address") or "").lower()
    if address in LOOPBACK or not name:
        return False
    known = {address, str(config.get_option("browser.serverAddress") or "").lower(), platform.node().lower()}
    return name in known or _is_address(name)  # a bare address cannot be re-bound to another computer


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True
