"""One HTML file that needs nothing else: code, looks and data are in it, packed, and it may not ask the network.

What a run brings along (names of classes, titles, settings) is either packed, so that no browser can read it as
markup, or escaped.
"""

from __future__ import annotations

import base64
import gzip
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from html import escape
from importlib import resources
from pathlib import Path
from typing import Any

__all__ = ["Document", "code_of", "plotly_code"]

STATIC = Path(str(resources.files("clustlab"))) / "app" / "components" / "static"
"""Where the modules and style sheets of the laboratory lie."""

ENTRY = "replay"
IMPORT = re.compile(r'(\bfrom\s*|\bimport\s*\(?\s*)"\./(\w+\.js)"')

PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="clustlab {version}">
<title>{title}</title>
<style>
{style}
</style>
</head>
<body>
<header><h1>{title}</h1></header>
<main id="replay"><p id="state" role="status">Opening …</p></main>
<noscript><p>The map of this replay moves by JavaScript, which is switched off here; what was done stands below.</p>
</noscript>
<details id="protocol">
<summary>How this was made</summary>
{protocol}
</details>
{blobs}
<script nonce="{nonce}">
{boot}
</script>
</body>
</html>
"""

POLICY = (
    "default-src 'none'; script-src 'nonce-{nonce}' blob:; style-src 'unsafe-inline'; img-src data: blob:; "
    "base-uri 'none'; form-action 'none'"
)
"""Nothing may be fetched from anywhere; of scripts only our own run, and what they unpack."""


class Document:
    """A replay while it is put together.

    Parameters
    ----------
    title : str
        What the browser's tab and the head of the page say.
    version : str
        The clustlab that writes it.
    """

    def __init__(self, title: str, version: str) -> None:
        self.title, self.version = title, version
        self._blobs: dict[str, str] = {}
        self._rows: list[tuple[str, str]] = []
        self._texts: list[tuple[str, str]] = []

    @property
    def size(self) -> int:
        """Bytes of what has been put in so far."""
        return sum(map(len, self._blobs.values()))

    def put(self, name: str, content: bytes) -> int:
        """Pack a piece of data under a name, in the place of an older one, and return how many bytes it takes."""
        self._blobs[name] = base64.b64encode(gzip.compress(content, 6, mtime=0)).decode()
        return len(self._blobs[name])

    def put_json(self, name: str, content: Any) -> int:
        """Pack content as JSON under a name, and return how many bytes it takes."""
        return self.put(name, json.dumps(content, ensure_ascii=False).encode())

    def take_out(self, name: str) -> None:
        """Take a piece of data out again."""
        del self._blobs[name]

    def tell(self, rows: Sequence[tuple[str, str]], texts: Sequence[tuple[str, str]]) -> None:
        """Say how the run was made: rows of a heading and a text, and below them texts to be copied."""
        self._rows, self._texts = list(rows), list(texts)

    def html(self) -> bytes:
        """Return the file."""
        nonce = secrets.token_urlsafe(16)
        rows = "\n".join(f"<dt>{escape(head)}</dt><dd>{escape(text)}</dd>" for head, text in self._rows)
        texts = "\n".join(f"<h2>{escape(head)}</h2>\n<pre>{escape(text)}</pre>" for head, text in self._texts)
        blobs = "\n".join(
            f'<script type="text/plain" data-name="{escape(name)}">{text}</script>'
            for name, text in self._blobs.items()
        )
        return PAGE.format(
            policy=POLICY.format(nonce=nonce),
            version=escape(self.version),
            title=escape(self.title),
            style=(STATIC / f"{ENTRY}.css").read_text(encoding="utf-8"),
            protocol=f"<dl>\n{rows}\n</dl>\n{texts}",
            blobs=blobs,
            nonce=nonce,
            boot=(STATIC / f"{ENTRY}_boot.js").read_text(encoding="utf-8"),
        ).encode()


def code_of(entry: str = ENTRY) -> dict[str, Mapping[str, str]]:
    """Return the modules that an entry needs, itself included, and the style sheets of the laboratory.

    Modules of the page import each other by relative addresses, which mean nothing inside one file: they become names
    (``clustlab/bus.js``) that the replay's import map knows.
    """
    modules: dict[str, str] = {}
    waiting = [f"{entry}.js"]
    while waiting:
        name = waiting.pop()
        if name in modules:
            continue
        source = (STATIC / name).read_text(encoding="utf-8")
        waiting += [found[2] for found in IMPORT.finditer(source)]
        modules[name] = IMPORT.sub(r'\1"clustlab/\2"', source)
    sheets = [Path(name).stem for name in ("base.css", *modules) if (STATIC / f"{Path(name).stem}.css").is_file()]
    styles = {sheet: (STATIC / f"{sheet}.css").read_text(encoding="utf-8") for sheet in sheets}
    return {"modules": modules, "styles": styles}


def plotly_code() -> bytes:
    """Return the drawing library, from the installed package."""
    from plotly.offline import get_plotlyjs

    return str(get_plotlyjs()).encode()
