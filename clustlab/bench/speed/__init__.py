"""How fast clustlab is, measured on the machine at hand: ``clustlab bench speed``.

Each part asks one question and answers it beside a reference that is measured in the same process, turn by turn: what
the training loop costs more than a bare loop in torch, what recording takes from training, what a live map needs
beside a plain fit of UMAP, how memory grows with the samples, how long ClustPy takes for the same codes. Times are CPU
seconds and differ from machine to machine; ratios are what counts.
"""

from clustlab.bench.speed.measuring import HEADER, Measurement, Row, Settings
from clustlab.bench.speed.parts import PARTS, measure, planned

__all__ = ["HEADER", "PARTS", "Measurement", "Row", "Settings", "measure", "planned"]
