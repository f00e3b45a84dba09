"""The functions of ``course_lib.arithmetic`` under their own names: ``conv_params``, ``conv_output_size`` and so on."""

from __future__ import annotations

from typing import Any

from course_lib import arithmetic
from course_lib.arithmetic import Layer
from course_suite.ledger.quantities import quantity

NAMES = """
    conv_output_size pool_output_size conv_params conv_macs linear_params separable_conv_params separable_conv_macs
""".split()


def _with_pairs(name: str) -> Any:
    """The function of arithmetic, with lists of two, as YAML has them, taken as pairs."""
    function = getattr(arithmetic, name)

    def call(**arguments: Any) -> Any:
        return function(**{key: tuple(v) if isinstance(v, list) else v for key, v in arguments.items()})

    call.__doc__ = function.__doc__
    call.__qualname__ = name
    return call


for _name in NAMES:
    quantity(_with_pairs(_name), name=_name)


@quantity
def receptive_field(layers: list[dict[str, int]]) -> int:
    """Side of what a stack of layers sees: ``layers: [{kernel_size: 3}, {kernel_size: 3, stride: 2}]``."""
    return arithmetic.receptive_field([Layer(**layer) for layer in layers]).size
