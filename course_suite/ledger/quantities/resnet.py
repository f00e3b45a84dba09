"""Figures of the ResNet paper that no count of layers gives."""

from __future__ import annotations

from course_suite.ledger.quantities import quantity


@quantity
def resnet_blocks(model: str) -> list[int]:
    """Residual blocks in each stage of the built network."""
    from course_suite.ledger.quantities.networks import network

    return [len(stage) for stage in network(model).stages]
