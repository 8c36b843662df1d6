"""The data as training sees it: in memory, or read from a file where they are needed."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator

import numpy as np
import torch
from torch import Tensor

from clustlab.data.checking import check_room

__all__ = ["FileSamples", "Samples"]


class Samples:
    """Samples and their number, no labels.

    Parameters
    ----------
    x : Tensor (n, *shape), float32
        All samples, on the device that trains.
    """

    CHUNK = 4096

    def __init__(self, x: Tensor) -> None:
        self._x = x

    def __len__(self) -> int:
        return len(self._x)

    @property
    def x(self) -> Tensor:
        """All samples at once: (n, *shape)."""
        return self._x

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of one sample."""
        return tuple(self._x.shape[1:])

    @property
    def device(self) -> torch.device:
        """Where samples are given out."""
        return self._x.device

    def rows(self, index: Tensor) -> Tensor:
        """Return some samples: (b,) int64 → (b, *shape)."""
        return self._x.index_select(0, index)  # a third of the time that x[index] takes

    def chunks(self) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield all samples and their rows in order, a few thousand at a time: (b, *shape), (b,)."""
        for rows in torch.arange(len(self), device=self.device).split(self.CHUNK):
            yield self._x[rows[0] : rows[0] + len(rows)], rows

    @torch.no_grad()
    def map(self, function: Callable[[Tensor], Tensor]) -> Tensor:
        """Return a function of all samples, computed in chunks and without gradient: (n, …)."""
        return self.gathered(function(x) for x, _ in self.chunks())

    def gathered(self, parts: Iterable[Tensor]) -> Tensor:
        """Return what was computed of each chunk, in order, as one tensor: (b, …) each → (n, …).

        Raises
        ------
        DataError
            If that would take too much memory, as codes do that are the samples themselves.
        """
        whole, at = torch.empty(0), 0
        for part in parts:
            if not at:
                form = (len(self), *part.shape[1:])
                check_room("what is computed of all samples", form, part.element_size())
                whole = part.new_empty(form)
            whole[at : at + len(part)] = part
            at += len(part)
        return whole


class FileSamples(Samples):
    """Samples of which only those that are asked for are in memory; a method that asks for ``x`` has all of them there.

    Parameters
    ----------
    read : callable
        Returns samples as networks see them, float32, by their rows; all of them, given None.
    n : int
    shape : tuple of int
        Shape of one sample.
    device : torch.device
    """

    def __init__(
        self, read: Callable[[np.ndarray | None], np.ndarray], n: int, shape: tuple[int, ...], device: torch.device
    ) -> None:
        self._read, self._n, self._shape, self._device = read, n, shape, device

    def __len__(self) -> int:
        return self._n

    @property
    def shape(self) -> tuple[int, ...]:
        return self._shape

    @property
    def device(self) -> torch.device:
        return self._device

    @functools.cached_property
    def x(self) -> Tensor:
        """All samples; DataError if they are too many for that."""
        return torch.from_numpy(self._read(None)).to(self._device)

    def rows(self, index: Tensor) -> Tensor:
        return torch.from_numpy(self._read(index.cpu().numpy())).to(self._device)

    def chunks(self) -> Iterator[tuple[Tensor, Tensor]]:
        for rows in torch.arange(self._n, device=self._device).split(self.CHUNK):
            yield self.rows(rows), rows
