"""Sizes, counts and receptive fields of convolutional layers: pure integer arithmetic, and no torch.

Each argument that torch takes as an int or a pair is an int or a pair ``(height, width)`` here, and one call may mix
them. An int stands for both axes. The result is an int when all arguments are ints, else a tuple of two.

What torch computes is computed, and what torch refuses is a ``ValueError`` that names the argument, its value and the
rule. Bools, floats and tensors are not integers here, not even the bool or the tensor that torch lets pass in places.
"""

from course_lib.arithmetic.counts import (
    conv_macs,
    conv_params,
    conv_transpose_macs,
    linear_macs,
    linear_params,
    separable_conv_macs,
    separable_conv_params,
)
from course_lib.arithmetic.receptive_field import (
    Layer,
    ReceptiveField,
    join_receptive_fields,
    receptive_field,
    receptive_fields,
)
from course_lib.arithmetic.sizes import (
    conv_output_size,
    conv_transpose_output_size,
    input_sizes,
    pool_output_size,
    same_padding,
)

__all__ = [
    "Layer",
    "ReceptiveField",
    "conv_macs",
    "conv_output_size",
    "conv_params",
    "conv_transpose_macs",
    "conv_transpose_output_size",
    "input_sizes",
    "join_receptive_fields",
    "linear_macs",
    "linear_params",
    "pool_output_size",
    "receptive_field",
    "receptive_fields",
    "same_padding",
    "separable_conv_macs",
    "separable_conv_params",
]
