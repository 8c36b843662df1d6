"""``python -m clustlab.data NAME FOLDER``: fetch a source into a folder, for the process that watches over it."""

from __future__ import annotations

import sys
from pathlib import Path

from clustlab.data import sources
from clustlab.data.fetching import serve

__all__ = ["main"]


def main(arguments: list[str]) -> int:
    """Fetch what has a name; return the exit status."""
    name, folder = arguments
    downloads = {source.download.name: source.download for source in sources() if source.download}
    return serve(downloads[name], Path(folder))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
