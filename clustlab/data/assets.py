"""Where the files that come with clustlab lie: in a checkout and in an installed package."""

from __future__ import annotations

from pathlib import Path

__all__ = ["assets_folder"]


def assets_folder() -> Path:
    """Return the ``assets`` folder: inside the installed package, else beside it in a checkout."""
    package = Path(__file__).resolve().parents[1]
    installed = package / "assets"
    return installed if installed.is_dir() else package.parent / "assets"
