"""The memory that a forward pass would take, found from the tensors that it makes and for how long they live."""

from __future__ import annotations

import weakref
from collections.abc import Iterable
from functools import partial

from torch import Tensor


class Memory:
    """Counts bytes of tensors, each storage once, from when a tensor is first seen to when its last view dies.

    Attributes:
        live_bytes: storages that are alive now.
        peak_bytes: the most that were alive at once.
        total_bytes: all storages that were seen.
        kept_bytes: those that a backward pass needs, each once.
    """

    def __init__(self) -> None:
        self.live_bytes = self.peak_bytes = self.total_bytes = self.kept_bytes = 0
        self._storages: dict[int, list[int]] = {}  # by address: tensors that use it, bytes, bytes not kept yet
        self._tensors: dict[int, weakref.ref] = {}

    def watch(self, tensor: Tensor, sources: Iterable[Tensor] = ()) -> int:
        """Follow a tensor that was made of ``sources``. Returns the bytes that it takes: 0 in place and for views."""
        known = self._tensors.get(id(tensor))
        if known is not None and known() is tensor:
            return 0
        try:
            storage = tensor.untyped_storage()
        except (NotImplementedError, RuntimeError):  # sparse, nested and opaque ones: not followed
            return 0
        address, fresh = storage._cdata, 0
        entry = self._storages.get(address)
        if entry is None:
            for source in sources:
                if _address(source) == address:  # a view of a parameter, or of another that the pass has not made
                    self._tensors[id(tensor)] = weakref.ref(tensor, partial(self._forget_view, id(tensor)))
                    return 0
            fresh = storage.nbytes()
            entry = self._storages[address] = [0, fresh, fresh]
            self.total_bytes += fresh
            self.live_bytes += fresh
            if self.live_bytes > self.peak_bytes:
                self.peak_bytes = self.live_bytes
        entry[0] += 1
        self._tensors[id(tensor)] = weakref.ref(tensor, partial(self._forget, id(tensor), address))
        return fresh

    def knows(self, tensor: Tensor) -> bool:
        """Whether ``tensor`` or its storage was seen."""
        return id(tensor) in self._tensors or _address(tensor) in self._storages

    def keep(self, tensor: Tensor) -> None:
        """The backward pass needs ``tensor``; what the pass has not made, such as a parameter, takes no more memory."""
        entry = self._storages.get(_address(tensor))
        if entry is not None:
            self.kept_bytes += entry[2]
            entry[2] = 0

    def keep_more(self, num_bytes: int) -> None:
        """The backward pass needs ``num_bytes`` that no tensor of the pass holds."""
        self.kept_bytes += num_bytes

    def touch(self, num_bytes: int) -> None:
        """A function takes ``num_bytes`` for as long as it runs."""
        self.peak_bytes = max(self.peak_bytes, self.live_bytes + num_bytes)

    def _forget(self, name: int, address: int, dead: weakref.ref) -> None:
        if self._tensors.get(name) is dead:
            del self._tensors[name]
        entry = self._storages[address]
        entry[0] -= 1
        if entry[0] == 0:
            del self._storages[address]
            self.live_bytes -= entry[1]

    def _forget_view(self, name: int, dead: weakref.ref) -> None:
        if self._tensors.get(name) is dead:
            del self._tensors[name]


def _address(tensor: Tensor) -> int:
    try:
        return tensor.untyped_storage()._cdata
    except (NotImplementedError, RuntimeError):
        return -1
