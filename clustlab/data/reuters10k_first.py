"""The other subset that goes by the name of Reuters-10k: the first stories in the order of the files."""

from __future__ import annotations

from clustlab.data.reuters10k import FIRST as SOURCE

__all__ = ["SOURCE"]
