"""The static files of the components, and how a component is declared to Streamlit.

All components of a page import one copy of each ES module from our own route, so that they share one bus.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import Any

import streamlit as st

__all__ = ["declare", "read", "version"]

STATIC = Path(__file__).parent / "static"

MEDIA_TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml"}

SHIM = """
const loaded = import(new URL("clustlab/static/{version}/{name}.js", document.baseURI));

export default function (component) {{
  let gone = false, leave = null;
  loaded.then(
    (module) => {{ if (!gone) leave = module.mount(component); }},
    () => {{ component.parentElement.textContent = "This part of the page could not be loaded; reload the page."; }},
  );
  return () => {{ gone = true; if (leave) leave(); }};
}}
"""
"""What Streamlit runs for a component.

The module is imported once: imports that wait for the same module may end in any order, and the place on the page
would keep what an earlier call had told it.
"""


def declare(name: str, *, looks: str | None = None, isolated: bool = True) -> Callable[..., Any]:
    """Register a component whose code is ``static/<name>.js`` and whose looks are ``base.css`` and ``<looks>.css``.

    Parameters
    ----------
    name : str
        Name of the module; it exports ``mount(component)``, which returns a function that cleans up.
    looks : str, optional
        Name of the style sheet, if it is another module's.
    isolated : bool
        Whether styles are kept in a shadow root. Plotly adds rules of its own to the page and needs none.

    Returns
    -------
    callable
        Streamlit's function that mounts the component.
    """
    styles = "\n".join((STATIC / f"{sheet}.css").read_text() for sheet in ("base", looks or name)) + "\n"
    script = SHIM.format(version=version(), name=name)
    return st.components.v2.component(f"clustlab_{name}", css=styles, js=script, isolate_styles=isolated)


@functools.cache
def version() -> str:
    """Return a hash of all static files; part of their addresses, so that a browser never keeps stale code."""
    digest = hashlib.sha256()
    for path in sorted(STATIC.iterdir()):
        digest.update(path.name.encode() + path.read_bytes())
    return digest.hexdigest()[:12]


def read(name: str) -> tuple[bytes, str] | None:
    """Return content and media type of a static file; ``plotly.min.js`` comes from the installed plotly package."""
    path = _plotly() if name == "plotly.min.js" else STATIC / name
    if path.suffix not in MEDIA_TYPES or path.parent not in (STATIC, _plotly().parent) or not path.is_file():
        return None
    return path.read_bytes(), MEDIA_TYPES[path.suffix]


@functools.cache
def _plotly() -> Path:
    package = importlib.util.find_spec("plotly")
    if package is None or package.origin is None:
        raise RuntimeError("plotly is not installed")
    return Path(package.origin).parent / "package_data" / "plotly.min.js"
