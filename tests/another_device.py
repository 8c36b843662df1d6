"""A device that is not there: its tensors compute on the CPU, and refuse to be mixed with those of the CPU.

What trains on it trains on a graphics card, as far as it depends on us: no tensor is left behind, none goes to NumPy
without being fetched first, no generator of the CPU draws for it. It goes by the name of PyTorch's device ``meta``, the
one that every build of PyTorch knows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

__all__ = ["another_device"]

DEVICE = torch.device("meta")

aten = torch.ops.aten
MOVING = {aten._to_copy.default, aten.copy_.default}
"""Operations that take tensors from one device to another."""

INDEXING = {aten.index.Tensor, aten.index_put.default, aten.index_put_.default, aten._index_put_impl_.default}
"""Operations on a device that take indices from the CPU as well."""


@contextmanager
def another_device() -> Iterator[torch.device]:
    """Have the device there for a while."""
    with _Dispatched(), _Made():
        yield DEVICE


class Elsewhere(Tensor):
    """A tensor of that device; ``here`` has its numbers."""

    here: Tensor

    @staticmethod
    def __new__(cls, here: Tensor) -> Elsewhere:
        like = {"strides": here.stride(), "storage_offset": here.storage_offset(), "dtype": here.dtype}
        return torch.Tensor._make_wrapper_subclass(cls, here.shape, device=DEVICE, **like)  # type: ignore[attr-defined]

    def __init__(self, here: Tensor) -> None:
        self.here = here

    __torch_function__ = torch._C._disabled_torch_function_impl

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _computed(func, args, kwargs or {})


class _Dispatched(TorchDispatchMode):
    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        return _computed(func, args, kwargs or {})


class _Made(TorchFunctionMode):
    """Tensors made of numbers, and numbers made of tensors, do not ask the dispatcher for their device."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        kwargs = kwargs or {}
        if func in (torch.tensor, torch.as_tensor) and torch.device(kwargs.get("device") or "cpu") == DEVICE:
            return Elsewhere(func(*args, **{**kwargs, "device": "cpu"}))
        if func is Tensor.new_tensor and isinstance(args[0], Elsewhere):
            return Elsewhere(torch.tensor(*args[1:], **{"dtype": args[0].dtype, **kwargs}))
        if func is Tensor.tolist and isinstance(args[0], Elsewhere):
            return args[0].here.tolist()
        return func(*args, **kwargs)


def _computed(func: Any, args: Sequence[Any], kwargs: Mapping[str, Any]) -> Any:
    """Compute here what is asked there."""
    wish = kwargs.get("device")
    tensors = [each for each in tree_leaves((args, kwargs)) if isinstance(each, Tensor)]
    there = [each for each in tensors if isinstance(each, Elsewhere)]
    if func in MOVING | INDEXING and wish is None:
        elsewhere = isinstance(args[0], Elsewhere)
    else:
        elsewhere = bool(there) if wish is None else torch.device(wish) == DEVICE
    _check(func, args, tensors, kwargs.get("generator") if elsewhere else None)
    if wish is not None:
        kwargs = {**kwargs, "device": torch.device("cpu")}
    result = func(*tree_map(_here, args), **tree_map(_here, kwargs))
    if not elsewhere:
        return result
    known = {id(each.here): each for each in there}  # what is changed in place stays the same tensor
    return tree_map(lambda each: known.get(id(each), Elsewhere(each)) if isinstance(each, Tensor) else each, result)


def _check(func: Any, args: Sequence[Any], tensors: list[Tensor], generator: torch.Generator | None) -> None:
    """Refuse what a graphics card would refuse; single numbers may come from the CPU, and so may indices."""
    behind = [each for each in tensors if not isinstance(each, Elsewhere) and each.dim() > 0]
    if func in INDEXING and isinstance(args[0], Elsewhere):
        behind = []
    if behind and func not in MOVING and any(isinstance(each, Elsewhere) for each in tensors):
        shapes = ", ".join(str(tuple(each.shape)) for each in behind)
        raise RuntimeError(f"{func} of tensors on two devices; those of the shapes {shapes} are on the CPU")
    if generator is not None and generator.device.type == "cpu":
        raise RuntimeError(f"{func} draws on the device by a generator of the CPU")


def _here(value: Any) -> Any:
    return value.here if isinstance(value, Elsewhere) else value
