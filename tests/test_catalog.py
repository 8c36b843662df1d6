"""The catalog says without torch what the method files say with it."""

from __future__ import annotations

import subprocess
import sys

import pytest

from clustlab import catalog, methods
from clustlab.errors import SpecError
from clustlab.methods.base import checked_options
from clustlab.spec import RunSpec


def test_it_says_what_the_method_files_say() -> None:
    assert catalog.described() == catalog.describe()


def test_asking_it_loads_no_torch() -> None:
    code = "import sys; from clustlab import catalog; catalog.described(); sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"cluster_weight": 0},
        {"cluster_weight": -0.1},
        {"cluster_weight": "much"},
        {"n_init": 2.5},
        {"learning_rate": 0},
        {"target_interval": float("nan")},
        {"nothing": 1},
    ],
)
def test_it_refuses_exactly_what_the_method_refuses(options: dict[str, object]) -> None:
    def refused(check: object) -> str:
        try:
            check()  # type: ignore[operator]
        except SpecError as error:
            return str(error)
        return ""

    spec = RunSpec.parse({"method": "idec", "options": options})
    theirs = refused(lambda: checked_options(methods.find("idec").Options, options, "idec"))
    assert refused(lambda: catalog.check(spec)) == theirs
