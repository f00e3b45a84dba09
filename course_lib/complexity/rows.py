"""What an analysis returns: one row a call, and the totals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from course_lib.arithmetic import ReceptiveField

Shape = tuple[int, ...]
MODEL_INPUT = -1  # among the inputs of a row


class Row(NamedTuple):
    """One call of a layer, or of a function outside any layer.

    Attributes:
        name: the layer's name in the model; for a function, the name of the module that calls it, and its own:
            ``layer1.0.add``. The model itself has the name of its type.
        type: the layer's class, or the function's name.
        input_shapes: one shape for each tensor that goes in, batch first.
        output_shape: shape of what comes out, batch first; of the first tensor where there are several.
        params: parameters that this call is the first to use; a layer that is called again adds none.
        macs: multiply-adds of this call, biases excluded; None where they could not be counted.
        activation_bytes: new memory that the call's outputs take; 0 in place and for views.
        receptive_field: what one pixel of the output sees of the input; None where that is not defined.
        inputs: positions of the rows whose outputs this call takes; -1 for the input of the model.
        not_counted: operations inside this call that no rule covers.
        backward_macs: multiply-adds of its gradients in a training step; 0 where nothing in front of it, nor itself,
            is trained.
    """

    name: str
    type: str
    input_shapes: tuple[Shape, ...]
    output_shape: Shape
    params: int
    macs: int | None
    activation_bytes: int
    receptive_field: ReceptiveField | None
    inputs: tuple[int, ...] = ()
    not_counted: tuple[str, ...] = ()
    backward_macs: int = 0


class Stage(NamedTuple):
    """The sums of some rows: parameters, multiply-adds, new memory of activations in bytes, number of rows."""

    params: int
    macs: int
    activation_bytes: int
    num_rows: int


@dataclass(frozen=True)
class Complexity:
    """The cost of one forward pass.

    Attributes:
        rows: one for each call, in the order of execution.
        input_shapes: the tensors that go into the model, batch first.
        outputs: positions of the rows that make the model's outputs, in the order in which it returns them.
        params: all parameters of the model, used or not.
        trainable_params: those that get a gradient.
        param_bytes: the memory that parameters take.
        trainable_bytes: that of those that get a gradient.
        buffer_bytes: that of the model's buffers, such as running statistics.
        peak_activation_bytes: the most that inputs and activations take at any moment of an inference.
        activation_bytes: the sum of all activations and inputs.
        training_activation_bytes: what autograd keeps of them for the backward pass.
        ran_on: "shapes", or "values" where the model looked at values.
        reason: why it ran on values; None for shapes.
    """

    rows: tuple[Row, ...]
    input_shapes: tuple[Shape, ...]
    outputs: tuple[int, ...]
    params: int
    trainable_params: int
    param_bytes: int
    trainable_bytes: int
    buffer_bytes: int
    peak_activation_bytes: int
    activation_bytes: int
    training_activation_bytes: int
    ran_on: str = "shapes"
    reason: str | None = None

    @property
    def macs(self) -> int:
        """Multiply-adds of all calls that could be counted; see ``not_counted``."""
        return sum(row.macs or 0 for row in self.rows)

    @property
    def backward_macs(self) -> int:
        """Multiply-adds of all gradients: of the weights that are trained, and of what leads back to them."""
        return sum(row.backward_macs for row in self.rows)

    @property
    def training_macs(self) -> int:
        """Multiply-adds of a training step, forward and backward; the optimiser sums no products."""
        return self.macs + self.backward_macs

    @property
    def not_counted(self) -> tuple[str, ...]:
        """What no rule covers, as ``layer: operation``; empty when ``macs`` is the whole truth."""
        return tuple(f"{row.name}: {operation}" for row in self.rows for operation in row.not_counted)

    @property
    def unused_params(self) -> int:
        """Parameters that this forward pass does not use, such as those of auxiliary heads in evaluation mode."""
        return self.params - sum(row.params for row in self.rows)

    def stages(self, depth: int = 1) -> dict[str, Stage]:
        """Sums by the first ``depth`` parts of the rows' names, in the order in which they first run.

        Raises:
            ValueError: ``depth`` is not a positive integer.
        """
        if type(depth) is not int or depth < 1:
            raise ValueError(f"depth must be a positive integer, got {depth!r}")
        sums: dict[str, Stage] = {}
        for row in self.rows:
            name = ".".join(row.name.split(".")[:depth])
            before = sums.get(name, Stage(0, 0, 0, 0))
            own = (row.params, row.macs or 0, row.activation_bytes, 1)
            sums[name] = Stage(*(old + new for old, new in zip(before, own, strict=True)))
        return sums

    @property
    def forward_bytes(self) -> int:
        """Memory of an inference, for parameters, buffers and the largest set of activations alive at once."""
        return self.param_bytes + self.buffer_bytes + self.peak_activation_bytes

    def training_bytes(self, optimizer_slots: int = 1) -> int:
        """Estimated memory of a training step: weights, gradients, optimiser, buffers and what autograd keeps.

        Frozen parameters take no gradient and no slot. An estimate: workspaces are not in it.

        Args:
            optimizer_slots: tensors that the optimiser keeps for each parameter: SGD 0, with momentum 1, Adam 2.
        """
        trained = self.trainable_bytes * (1 + optimizer_slots)
        return self.param_bytes + trained + self.buffer_bytes + self.training_activation_bytes
