"""A CUDA device that is none: tensors "on cuda" are CPU tensors of a marked class, for machines without a GPU.

``with emulated_cuda() as gpu:`` makes ``torch.cuda.is_available()`` True. Inside, ``x.to("cuda")`` gives a tensor that
says it is on cuda:0. As on a GPU, an operation on tensors of two devices raises, numpy takes none, an operation that
has no deterministic form raises in deterministic mode, and a tensor above the memory that there is raises. ``gpu``
counts what a GPU would wait for. What a GPU computes, and how fast, is not emulated.

A kernel loads it with ``import fake_cuda; fake_cuda.start()`` before anything else.
"""

from __future__ import annotations

import contextlib
import copy
import os
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves

CUDA = torch.device("cuda", 0)
OUTSIDE = torch._C.DisableTorchFunctionSubclass  # inside it, a marked tensor is the CPU tensor that it is

READS = {Tensor.device.__get__: CUDA, Tensor.is_cuda.__get__: True, Tensor.is_cpu.__get__: False}
WAITS = {
    Tensor.item, Tensor.tolist, Tensor.cpu, Tensor.nonzero, torch.nonzero, torch.equal, Tensor.equal,
    Tensor.__bool__, Tensor.__int__, Tensor.__float__, Tensor.__index__,
}  # fmt: skip
TAKES_BOTH = {
    Tensor.copy_, Tensor.__setitem__, Tensor.data.__set__, Tensor.grad.__set__, Tensor.type_as,
    torch._has_compatible_shallow_copy_type,
}  # fmt: skip
# From the docstring of torch.use_deterministic_algorithms; the 1x1 average pool is a mean, which is deterministic.
BACKWARD = {
    F.adaptive_avg_pool1d: "adaptive_avg_pool2d_backward_cuda",
    F.adaptive_avg_pool2d: "adaptive_avg_pool2d_backward_cuda",
    F.adaptive_max_pool2d: "adaptive_max_pool2d_backward_cuda",
    F.avg_pool3d: "avg_pool3d_backward_cuda",
}
FORWARD = {
    F.max_unpool2d: "max_unpooling2d_forward_out",
    torch.histc: "_histc_cuda",
    torch.Tensor.histc: "_histc_cuda",
}
PRODUCTS = {
    F.linear,
    torch.matmul,
    Tensor.matmul,
    Tensor.__matmul__,
    Tensor.__rmatmul__,
    torch.mm,
    Tensor.mm,
    torch.bmm,
}
CUBLAS = "CUBLAS_WORKSPACE_CONFIG"


class Gpu:
    """What happened on the emulated device, and what it has.

    Args:
        memory: bytes of the largest tensor that fits.
        copies: "to cuda" for each copy from pageable memory, "from cuda" for each result that the CPU waits for.
        synchronised: the devices that were waited for.
        resets: how often the peak of memory was reset.
    """

    def __init__(self, memory: int, count: int) -> None:
        self.memory, self.count = memory, count
        self.copies: list[str] = []
        self.synchronised: list[Any] = []
        self.resets = 0
        self.generator = torch.Generator()
        self.cublas_is_deterministic: bool | None = None  # torch looks once, at the first product


GPU: Gpu | None = None
FOR_GOOD: list[contextlib.AbstractContextManager] = []


class CudaTensor(Tensor):
    """A CPU tensor that says it is on cuda:0."""

    @classmethod
    def __torch_function__(cls, func, types, args=(), kwargs=None):
        """Run one operation as a GPU would take it."""
        kwargs = kwargs or {}
        if func in READS:
            return READS[func]
        if func is Tensor.get_device:
            return 0
        if func in (Tensor.numpy, Tensor.__array__):
            raise TypeError("can't convert cuda:0 device type tensor to numpy. Use Tensor.cpu() to copy the tensor")
        if func not in TAKES_BOTH:
            _check_devices(func, args, kwargs)
        _check_deterministic(func, args, kwargs)
        if GPU is not None and func in WAITS:
            GPU.copies.append("from cuda")
        result = super().__torch_function__(func, types, args, kwargs)
        if func in TAKES_BOTH:
            return result
        if _alerts_backward(func, args, kwargs, result):
            with OUTSIDE():
                result.register_hook(_raiser(BACKWARD[func]))
        return mark(result)

    def __deepcopy__(self, memo):
        """A copy on the same device."""
        if id(self) not in memo:
            with OUTSIDE():
                twin = self.detach().clone().requires_grad_(self.requires_grad)
                twin = mark(nn.Parameter(twin, self.requires_grad) if isinstance(self, nn.Parameter) else twin)
                twin.__dict__.update(copy.deepcopy(self.__dict__, memo))
            memo[id(self)] = twin
        return memo[id(self)]

    def __reduce_ex__(self, protocol):
        """Saved as a tensor: what loads it with ``map_location="cpu"`` gets it on the CPU."""
        with OUTSIDE():
            return unmarked(self).__reduce_ex__(protocol)


class CudaParameter(CudaTensor, nn.Parameter):
    """A parameter that says it is on cuda:0."""

    __deepcopy__ = CudaTensor.__deepcopy__
    __reduce_ex__ = CudaTensor.__reduce_ex__


CLASSES = {Tensor: CudaTensor, nn.Parameter: CudaParameter}
BACK = {CudaTensor: Tensor, CudaParameter: nn.Parameter}


def mark(result: Any) -> Any:
    """Say of every CPU tensor in a result that it is on cuda:0."""
    for leaf in tree_leaves(result):
        if type(leaf) in CLASSES and leaf.device.type == "cpu":
            if GPU is not None and leaf.numel() * leaf.element_size() > GPU.memory:
                raise torch.OutOfMemoryError(
                    f"CUDA out of memory. Tried to allocate {leaf.numel() * leaf.element_size() / 2**20:.2f} MiB. "
                    f"GPU 0 has a total capacity of {GPU.memory / 2**20:.2f} MiB.\nSecond line."
                )
            leaf.__class__ = CLASSES[type(leaf)]
    return result


def unmarked(tensor: Tensor) -> Tensor:
    """The same numbers in a CPU tensor that shares their memory."""
    with OUTSIDE():
        plain = tensor.detach().requires_grad_(tensor.requires_grad)
        plain.__class__ = BACK.get(type(plain), type(plain))
    return plain


def _is_cuda(device: Any) -> bool:
    return device is not None and torch.device(device).type == "cuda"


def _check_devices(func: Any, args: Any, kwargs: dict[str, Any]) -> None:
    """Raise where CUDA would: a tensor with axes of another device. Indices may be on the CPU."""
    if func is Tensor.__getitem__ and isinstance(args[0], CudaTensor):
        return
    for leaf in tree_leaves((args, kwargs)):
        if isinstance(leaf, Tensor) and not isinstance(leaf, CudaTensor) and leaf.ndim and leaf.device.type == "cpu":
            raise RuntimeError(
                "Expected all tensors to be on the same device, but found at least two devices, cuda:0 and cpu! "
                f"(in {getattr(func, '__name__', func)})"
            )


def _no_deterministic(name: str) -> RuntimeError:
    return RuntimeError(
        f"{name} does not have a deterministic implementation, but you set "
        f"'torch.use_deterministic_algorithms(True)'. You can turn off determinism just for this operation"
    )


def _strict() -> bool:
    enabled, warn_only = (
        torch.are_deterministic_algorithms_enabled(),
        torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    return enabled and not warn_only


def _check_deterministic(func: Any, args: Any, kwargs: dict[str, Any]) -> None:
    weighted = func in (torch.bincount, Tensor.bincount) and (len(args) > 1 or kwargs.get("weights") is not None)
    if _strict() and (func in FORWARD or weighted):
        raise _no_deterministic(FORWARD.get(func, "_bincount_cuda"))
    if GPU is not None and func in PRODUCTS:
        if GPU.cublas_is_deterministic is None:
            GPU.cublas_is_deterministic = os.environ.get(CUBLAS) in (":4096:8", ":16:8")
        if _strict() and not GPU.cublas_is_deterministic:
            raise RuntimeError(
                f"Deterministic behavior was enabled, but this operation uses CuBLAS: set {CUBLAS}=:4096:8"
            )


def _alerts_backward(func: Any, args: Any, kwargs: dict[str, Any], result: Any) -> bool:
    if func not in BACKWARD or not isinstance(result, Tensor):
        return False
    with OUTSIDE():
        whole = func in (F.adaptive_avg_pool1d, F.adaptive_avg_pool2d) and set(result.shape[2:]) == {1}
        return _strict() and result.requires_grad and not whole


def _raiser(name: str) -> Any:
    def raise_it(gradient: Tensor) -> Tensor:
        raise _no_deterministic(name)

    return raise_it


class _Moves(TorchFunctionMode):
    """Tensors that are made on cuda, or moved to it or away."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        """Run one call, on the CPU, and mark or unmark what comes out."""
        kwargs = dict(kwargs or {})
        if func in (Tensor.to, Tensor.cuda, Tensor.cpu):
            return self._move(func, args, kwargs)
        if func is Tensor.pin_memory:
            args[0].is_pinned_here = True
            return args[0]
        if func == Tensor.data.__set__:
            self._set_data(*args)
            return None
        if "device" not in kwargs or kwargs["device"] is None:
            return func(*args, **kwargs)
        if not _is_cuda(kwargs["device"]):
            with OUTSIDE():
                return func(*args, **kwargs)
        if isinstance(kwargs.get("generator"), torch.Generator):
            raise RuntimeError("Expected a 'cuda' device type for generator but found 'cpu'")
        GPU.copies.extend(["to cuda"] * (func in (torch.tensor, Tensor.new_tensor, torch.as_tensor)))
        with OUTSIDE():
            return mark(func(*args, **kwargs | {"device": "cpu"}))

    def _move(self, func: Any, args: Any, kwargs: dict[str, Any]) -> Tensor:
        tensor, options = args[0], dict(kwargs)
        on_gpu, given = isinstance(tensor, CudaTensor), args[1:]
        duplicate = bool(options.pop("copy", False))
        if func is not Tensor.to:
            target, dtype, non_blocking, layout = (
                torch.device("cuda" if func is Tensor.cuda else "cpu"),
                None,
                False,
                None,
            )
        elif given and isinstance(given[0], Tensor):
            target, dtype, non_blocking, layout = given[0].device, given[0].dtype, False, None
        else:
            if len(given) == 4:
                given, duplicate = given[:3], given[3]
            target, dtype, non_blocking, layout = torch._C._nn._parse_to(*given, **options)
        goes = CUDA.type if target is None and on_gpu else target.type if target is not None else tensor.device.type
        with OUTSIDE():
            moves = (goes == "cuda") != on_gpu
            place = {"device": "cpu" if goes == "cuda" else target} if target is not None else {}
            like = {} if layout is None else {"memory_format": layout}
            moved = tensor.to(**place, dtype=dtype or tensor.dtype, copy=duplicate or moves, **like)
            if moved is tensor:
                return tensor
            moved.__class__ = BACK.get(type(moved), type(moved))
        if goes == "cuda":
            if moves and tensor.device.type == "cpu" and not (non_blocking and hasattr(tensor, "is_pinned_here")):
                GPU.copies.append("to cuda")
            return mark(moved)
        GPU.copies.extend(["from cuda"] * moves)
        return moved

    def _set_data(self, tensor: Tensor, value: Tensor) -> None:
        on_gpu = isinstance(value, CudaTensor)
        with OUTSIDE():
            tensor.data = value
        table = CLASSES if on_gpu else BACK
        tensor.__class__ = table.get(type(tensor), type(tensor))


class _Autocast(torch.autocast):
    """Autocast for cuda is that for the CPU."""

    def __init__(self, device_type: str, *args: Any, **kwargs: Any) -> None:
        super().__init__("cpu" if device_type == "cuda" else device_type, *args, **kwargs)


def _always(value: Any) -> Any:
    return lambda *_, **__: value


def _patches(gpu: Gpu) -> list[Any]:
    def seed_all(seed: int) -> None:
        gpu.generator.manual_seed(seed)

    def synchronize(device: Any = None) -> None:
        gpu.synchronised.append(device)

    def reset(device: Any = None) -> None:
        gpu.resets += 1

    def set_state(state: Tensor, device: Any = None) -> None:
        gpu.generator.set_state(state)

    properties = SimpleNamespace(
        name="Emulated GPU", total_memory=gpu.memory, multi_processor_count=1, major=9, minor=0
    )
    functions = {
        "is_available": lambda: True,
        "device_count": lambda: gpu.count,
        "current_device": lambda: 0,
        "set_device": _always(None),
        "synchronize": synchronize,
        "get_device_name": _always(properties.name),
        "get_device_properties": _always(properties),
        "get_device_capability": _always((9, 0)),
        "mem_get_info": _always((gpu.memory, gpu.memory)),
        "memory_allocated": _always(0),
        "max_memory_allocated": _always(2**20),
        "reset_peak_memory_stats": reset,
        "empty_cache": _always(None),
        "device": lambda *_: contextlib.nullcontext(),
        "is_bf16_supported": _always(True),
        "manual_seed": seed_all,
        "manual_seed_all": seed_all,
        "get_rng_state": lambda *_: gpu.generator.get_state(),
        "set_rng_state": set_state,
        "_is_in_bad_fork": lambda: False,
    }
    patches = [patch.object(torch.cuda, name, function) for name, function in functions.items()]
    # Optimisers ask the accelerator, where there is one, whether it records a graph of its steps.
    patches += [patch.object(torch.accelerator, "current_accelerator", _always(None))]
    return [*patches, patch.object(torch, "autocast", _Autocast), patch.object(torch.amp, "autocast", _Autocast)]


@contextlib.contextmanager
def emulated_cuda(memory: int = 80 * 2**30, count: int = 1) -> Iterator[Gpu]:
    """A machine with ``count`` GPUs, of which the first can be used; no tensor may be larger than ``memory`` bytes."""
    global GPU
    before, GPU = GPU, Gpu(memory, count)
    with contextlib.ExitStack() as stack:
        stack.callback(globals().__setitem__, "GPU", before)
        for one in _patches(GPU):
            stack.enter_context(one)
        stack.enter_context(_Moves())
        yield GPU


def start() -> Gpu:
    """Emulate a GPU until this process ends."""
    FOR_GOOD.append(emulated_cuda())
    return FOR_GOOD[-1].__enter__()
