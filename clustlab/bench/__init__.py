"""Benchmarks: methods × data × extensions × seeds as one table, every cell of it an ordinary run.

A cell is trained by the worker like any other run and can be opened in the laboratory; the table is read from the run
folders and from nothing else, so it can be written again at any time. Here runs are planned, handed to a few
processes that stay (:mod:`~clustlab.bench.pool`) or to a Dask cluster (:mod:`~clustlab.bench.cluster`), and scored;
labels are for the scores only.
"""

from clustlab.bench.grid import Cell, Grid, cells
from clustlab.bench.table import Row, markdown

__all__ = ["Cell", "Grid", "Row", "cells", "markdown"]
