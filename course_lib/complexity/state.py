"""What a forward pass may change, as it was: attributes, hooks, containers, caches of classes and closures, generators.

A pass runs on the model itself. Before it, everything that its code can reach is noted: from the modules through
attributes, containers, helper objects, hooks, the functions' closures and globals, and classes. Afterwards what has
changed is put back. Tensors' values are noted too where the pass computes with them.
"""

from __future__ import annotations

import functools
import logging
import random
import sys
import threading
import types
from collections import OrderedDict, deque
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules import module as torch_module

ATOMS = frozenset(
    {int, float, bool, str, bytes, complex, type(None), slice, range, torch.Size, torch.dtype, torch.device}
    | {types.BuiltinFunctionType, types.ModuleType, types.GetSetDescriptorType, types.MethodDescriptorType}
    | {types.MemberDescriptorType, types.WrapperDescriptorType, logging.Logger}
)
PACKAGES = sys.stdlib_module_names | {"torch", "torchvision", "numpy", "torchgen", "_pytest", "pytest", "course_lib"}
PARTS = ("_parameters", "_buffers", "_modules")
HOOKS = [value for name, value in vars(torch_module).items() if name.startswith("_global_") and isinstance(value, dict)]
_MISSING = object()


class State:
    """What can be reached from some modules, to be put back by ``restore``; with ``values``, tensors' values too."""

    def __init__(self, modules: Iterable[nn.Module], *, values: bool = False) -> None:
        self._dicts: list[tuple[dict, dict]] = []  # attributes of modules: always put back
        self._empty: list[Any] = []  # containers that were empty
        self._containers: list[tuple[Any, Any]] = []
        self._names: list[tuple[Any, str, Any]] = []  # of namespaces, and of objects with slots
        self._classes: list[tuple[type, dict[str, Any]]] = []
        self._cells: list[tuple[types.CellType, Any]] = []
        self._caches: list[tuple[Any, Any]] = []
        self._tensors: dict[int, tuple[Tensor, Tensor | None]] = {}
        self._generators: list[tuple[torch.Generator, Tensor]] = []
        self._values = values
        self._seen: dict[int, Any] = {}
        self._random = random.getstate(), torch.get_rng_state(), _numpy_state()
        self._devices = torch.cuda.get_rng_state_all() if values and torch.cuda.is_initialized() else None
        pending: list[Any] = [*modules]
        for hooks in HOOKS:
            self._container(hooks, pending)
        self._walk(pending)

    @property
    def tensors(self) -> set[int]:
        """Ids of the tensors that were found; parameters are among them where values are noted."""
        return set(self._tensors)

    def restore(self) -> None:
        """Put back what has changed."""
        for now, before in self._dicts:
            now.clear()
            now.update(before)
        for empty in self._empty:
            if empty:
                empty.clear()
        for now, before in self._containers:
            _put_back(now, before)
        for owner, name, value in self._names:
            _set(owner, name, value)
        for owner, own in self._classes:
            for name, value in own.items():
                _set(owner, name, value)
            for name in [name for name in vars(owner) if name not in own and not name.startswith("__")]:
                delattr(owner, name)
        for cell, value in self._cells:
            if _content(cell) is not value:
                _fill(cell, value)
        for cache, before in self._caches:
            if cache.cache_info().misses != before:
                cache.cache_clear()
        for tensor, value in self._tensors.values():
            if value is not None and (tensor.shape != value.shape or not torch.equal(tensor, value)):
                tensor.data = value if tensor.shape != value.shape else tensor.data.copy_(value)
        for generator, before in self._generators:
            generator.set_state(before)
        random.setstate(self._random[0])
        torch.set_rng_state(self._random[1])
        if self._random[2] is not None:
            sys.modules["numpy"].random.set_state(self._random[2])
        if self._devices is not None:
            torch.cuda.set_rng_state_all(self._devices)

    def _walk(self, pending: list[Any]) -> None:
        seen, atoms, values = self._seen, ATOMS, self._values
        while pending:
            value = pending.pop()
            kind = type(value)
            if kind in atoms or id(value) in seen:
                continue
            seen[id(value)] = value
            if isinstance(value, nn.Module):
                own = vars(value)
                self._dicts.append((own, own.copy()))
                for name in PARTS:  # the modules come by themselves, and parameters hold nothing else
                    parts = own.get(name)
                    if type(parts) is dict and parts:
                        self._dicts.append((parts, parts.copy()))
                        seen[id(parts)] = parts
                        if values or name == "_buffers":
                            for tensor in parts.values():
                                if isinstance(tensor, Tensor):
                                    self._tensor(tensor)
                for part in own.values():
                    kind = type(part)
                    if kind in CONTAINERS:
                        if not part:
                            self._empty.append(part)
                        elif id(part) not in seen:
                            self._container(part, pending)
                    elif kind not in atoms and not (kind is tuple and atoms.issuperset(map(type, part))):
                        pending.append(part)
                if id(type(value)) not in seen:
                    pending.append(type(value))
            else:
                self._other(value, pending)

    def _other(self, value: Any, pending: list[Any]) -> None:
        if isinstance(value, Tensor):
            self._tensor(value)
        elif isinstance(value, CONTAINERS_TUPLE):
            self._container(value, pending)
        elif isinstance(value, tuple | frozenset):
            pending.extend(value)
        elif isinstance(value, types.FunctionType):
            self._function(value, pending)
        elif isinstance(value, types.MethodType | functools.partial):
            pending += [value.__func__, value.__self__] if isinstance(value, types.MethodType) else _parts(value)
        elif isinstance(value, staticmethod | classmethod | property | functools.cached_property):
            pending += [getattr(value, name, None) for name in ("__func__", "fget", "fset", "func")]
        elif isinstance(value, types.CellType):
            self._cells.append((value, _content(value)))
            pending.append(_content(value))
        elif isinstance(value, functools._lru_cache_wrapper):
            self._caches.append((value, value.cache_info().misses))
            pending.append(value.__wrapped__)
        elif isinstance(value, type):
            self._class(value, pending)
        elif isinstance(value, torch.Generator):
            self._generators.append((value, value.get_state()))
        elif type(value) not in ATOMS and not isinstance(value, Enum | threading.Thread):
            self._object(value, pending)

    def _container(self, value: Any, pending: list[Any]) -> None:
        self._seen[id(value)] = value
        before = _copied(value)
        self._containers.append((value, before))
        pending.extend(before.values() if isinstance(before, dict) else before)
        if type(value) not in CONTAINERS:  # a class of the user's, with attributes of its own
            self._object(value, pending)

    def _tensor(self, tensor: Tensor) -> None:
        plain = self._values and not tensor.is_meta and tensor.layout is torch.strided
        self._tensors[id(tensor)] = tensor, tensor.detach().clone() if plain else None

    def _object(self, value: Any, pending: list[Any]) -> None:
        """A helper object: its attributes, in a dictionary or in slots, and its class."""
        try:
            own = object.__getattribute__(value, "__dict__")
        except AttributeError:
            own = None
        if type(own) is dict:
            self._container(own, pending)
        if _is_elsewhere(type(value)):
            return
        for base in type(value).__mro__:
            slots = vars(base).get("__slots__", ())
            for name in (slots,) if isinstance(slots, str) else slots:
                if name not in ("__dict__", "__weakref__"):
                    part = getattr(value, name, _MISSING)
                    self._names.append((value, name, part))
                    pending.append(part)
        pending.append(type(value))

    def _class(self, value: type, pending: list[Any]) -> None:
        if _is_elsewhere(value):
            return
        own = {name: part for name, part in vars(value).items() if not name.startswith("__") or name == "__call__"}
        self._classes.append((value, own))
        pending += [*own.values(), *value.__mro__[1:]]

    def _function(self, value: types.FunctionType, pending: list[Any]) -> None:
        """What a function can reach: its closure, its defaults and attributes, and the globals that it names."""
        pending += [*(value.__closure__ or ()), *(value.__defaults__ or ()), *(value.__kwdefaults__ or {}).values()]
        if value.__dict__:
            self._container(value.__dict__, pending)
        namespace = value.__globals__
        if namespace.get("__name__", "").partition(".")[0] not in PACKAGES:
            for name in _names(value.__code__):
                part = namespace.get(name, _MISSING)
                if isinstance(part, types.ModuleType):
                    if part.__name__.partition(".")[0] not in PACKAGES:
                        inner = [vars(part).get(other) for other in _names(value.__code__)]
                        pending += [other for other in inner if not isinstance(other, types.ModuleType)]
                else:
                    if not isinstance(part, type | types.FunctionType):
                        self._names.append((namespace, name, part))
                    pending.append(part)


CONTAINERS = frozenset({dict, list, set, deque, OrderedDict})
CONTAINERS_TUPLE = (dict, list, set, deque)


def _base(value: Any) -> Any:
    """The container class that ``value`` is of; a class of the user's may do more in its methods than we ask."""
    return next(base for base in (OrderedDict, *CONTAINERS_TUPLE) if isinstance(value, base))


def _copied(value: Any) -> Any:
    if type(value) in CONTAINERS:
        return value.copy()
    base = _base(value)
    return (
        {key: base.__getitem__(value, key) for key in base.__iter__(value)} if isinstance(value, dict) else base(value)
    )


def _put_back(now: Any, before: Any) -> None:
    base = _base(now)
    same = base.__len__(now) == len(before)
    if isinstance(now, dict):
        if not (same and all(base.get(now, key, _MISSING) is value for key, value in before.items())):
            base.clear(now)
            for key, value in before.items():
                base.__setitem__(now, key, value)
    elif not (same and all(a is b for a, b in zip(base.__iter__(now), before, strict=True))):
        base.clear(now)
        base.extend(now, before) if isinstance(now, list | deque) else base.update(now, before)


def _set(owner: Any, name: str, value: Any) -> None:
    """A name has its value again, or is gone again."""
    space = owner if isinstance(owner, dict) else vars(owner) if isinstance(owner, type) else None
    now = getattr(owner, name, _MISSING) if space is None else space.get(name, _MISSING)
    if now is value:
        return
    if isinstance(owner, dict):
        owner.update({name: value}) if value is not _MISSING else owner.pop(name)
    else:
        setattr(owner, name, value) if value is not _MISSING else delattr(owner, name)


def _names(code: types.CodeType) -> Iterator[str]:
    """All names in a function and in the functions within it."""
    yield from code.co_names
    for part in code.co_consts:
        if isinstance(part, types.CodeType):
            yield from _names(part)


def _is_elsewhere(kind: type) -> bool:
    """Whether a class belongs to torch or to Python, which keep no state of a model in classes."""
    return (kind.__module__ or "").partition(".")[0] in PACKAGES


def _content(cell: types.CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:  # empty
        return _MISSING


def _fill(cell: types.CellType, value: Any) -> None:
    if value is _MISSING:
        del cell.cell_contents
    else:
        cell.cell_contents = value


def _parts(value: functools.partial) -> list[Any]:
    return [value.func, *value.args, *value.keywords.values()]


def _numpy_state() -> Any:
    return sys.modules["numpy"].random.get_state() if "numpy.random" in sys.modules else None
