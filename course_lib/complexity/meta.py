"""Networks on torch's meta device: shapes without memory, and built without initialising what is not there."""

from __future__ import annotations

import functools
import gc
import threading
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

META = torch.device("meta")

# Functions that make a tensor to be filled: on the meta device they take no memory. Those that make values for the
# model's construction, such as arange and linspace, keep them.
# Zeros and ones are made empty, which is faster.
MAKERS = {
    **dict.fromkeys((torch.empty, torch.zeros, torch.ones), torch.empty),
    **{make: make for make in (torch.full, torch.rand, torch.randn, torch.randint, torch.randperm)},
    **{make: make for make in (torch.empty_strided, torch.empty_permuted)},
}
# Functions that only change the values of their first argument: where there are none, there is nothing to do.
FILLERS = """
    uniform_ normal_ fill_ zero_ copy_ add_ sub_ mul_ div_ clamp_ erfinv_ bernoulli_ exponential_ log_normal_ cauchy_
""".split()
QUESTIONS = "dim size numel is_contiguous is_floating_point is_complex".split()

INITIALISERS = {
    name: function for name, function in vars(nn.init).items() if name.endswith("_") and not name.startswith("_")
}

WAYS: dict[Any, str] = {
    **dict.fromkeys(MAKERS, "make"),
    **{getattr(Tensor, name): "fill" for name in FILLERS},
    **dict.fromkeys(INITIALISERS.values(), "fill"),
    **{getattr(Tensor, name): "ask" for name in QUESTIONS},
    torch._C._set_grad_enabled: "ask",
}


class on_meta(TorchFunctionMode):  # noqa: N801
    """While this lasts, modules are made with shapes and without values: ``with on_meta(): model = make()``.

    Only this thread is concerned, and a tensor for which a device is asked comes on that device.
    """

    def __enter__(self):
        Unswept.begin()
        _Quiet.begin()
        return super().__enter__()

    def __exit__(self, *exception):
        _Quiet.end()
        Unswept.end()
        return super().__exit__(*exception)

    def __torch_function__(self, func, types, args=(), kwargs=None):
        """Make tensors on the meta device, and leave out what would fill them."""
        way = WAYS.get(func)
        if way == "fill":
            tensor = args[0] if args else kwargs["tensor"]
            if tensor.is_meta:
                return tensor
        elif way == "make":
            if not kwargs:
                return MAKERS[func](*args, device=META)
            if kwargs.get("device") is None and kwargs.get("out") is None:
                return MAKERS[func](*args, **{**kwargs, "device": META})
        elif way is None and func.__name__ != "__get__":
            args = _together(args)
        return func(*args, **(kwargs or {}))


class Unswept:
    """While anyone builds or analyzes, Python does not look for garbage: through all of torch, that is 0.2 s a time."""

    lock = threading.Lock()
    users = 0
    swept = False  # whether it did before

    @classmethod
    def begin(cls) -> None:
        """One more works."""
        with cls.lock:
            cls.users += 1
            if cls.users == 1:
                cls.swept = gc.isenabled()
                gc.disable()

    @classmethod
    def end(cls) -> None:
        """One less works."""
        with cls.lock:
            cls.users -= 1
            if cls.users == 0 and cls.swept:
                gc.enable()


class _Quiet:
    """While anyone builds on the meta device, the functions of ``torch.nn.init`` leave tensors without values at once.

    For all other tensors they do what they always do, in every thread.
    """

    lock = threading.Lock()
    users = 0

    @classmethod
    def begin(cls) -> None:
        """One more builds."""
        with cls.lock:
            cls.users += 1
            if cls.users == 1:
                vars(nn.init).update({name: cls._quiet(function) for name, function in INITIALISERS.items()})

    @classmethod
    def end(cls) -> None:
        """One less builds; after the last everything is as it was."""
        with cls.lock:
            cls.users -= 1
            if cls.users == 0:
                vars(nn.init).update(INITIALISERS)

    @staticmethod
    def _quiet(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
        @functools.wraps(function)
        def quiet(tensor: Tensor, *args: Any, **kwargs: Any) -> Tensor:
            return tensor if tensor.is_meta else function(tensor, *args, **kwargs)

        return quiet


def build_meta(name: str, **kwargs: Any) -> nn.Module:
    """The network ``name`` of ``course_lib.models``, on the meta device and not initialised: for counting only.

    Raises:
        ValueError: as ``course_lib.models.build``.
    """
    from course_lib.models import build

    with on_meta():
        return build(name, **kwargs).to(META)


def _together(args: tuple) -> tuple:
    """All tensors on the meta device where one of them is."""
    for value in args:
        if isinstance(value, Tensor) and value.is_meta:
            return tuple(other.to(META) if isinstance(other, Tensor) else other for other in args)
    return args
