"""What tests of views share: a run with every array that a frame may hold; not to be changed."""

from __future__ import annotations

import pytest
from view_helpers import written

from clustlab.runs import Run


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return written(tmp_path_factory.mktemp("views"))
