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
    """

    def __init__(self) -> None:
        self.live_bytes = self.peak_bytes = self.total_bytes = 0
        self._storages: dict[int, list[int]] = {}  # by address: tensors that use it, bytes
        self._tensors: dict[int, weakref.ref] = {}

    def watch(self, tensor: Tensor, sources: Iterable[Tensor] = ()) -> int:
        """Follow a tensor that was made of ``sources``. Returns the bytes that it takes: 0 in place and for views."""
        known = self._tensors.get(id(tensor))
        if known is not None and known() is tensor:
            return 0
        storage = tensor.untyped_storage()
        address, fresh = storage._cdata, 0
        entry = self._storages.get(address)
        if entry is None:
            for source in sources:
                if source.untyped_storage()._cdata == address:
                    return 0  # a view of a parameter or of another tensor that the pass has not made
            fresh = storage.nbytes()
            entry = self._storages[address] = [0, fresh]
            self.total_bytes += fresh
            self.live_bytes += fresh
            self.peak_bytes = max(self.peak_bytes, self.live_bytes)
        entry[0] += 1
        self._tensors[id(tensor)] = weakref.ref(tensor, partial(self._forget, id(tensor), address))
        return fresh

    def _forget(self, name: int, address: int, dead: weakref.ref) -> None:
        if self._tensors.get(name) is dead:
            del self._tensors[name]
        entry = self._storages[address]
        entry[0] -= 1
        if entry[0] == 0:
            del self._storages[address]
            self.live_bytes -= entry[1]
