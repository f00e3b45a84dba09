import re

import pytest
import torch
from models_table import COUNTS

from course_lib.models import build, names


def test_every_network_has_a_count_and_every_count_a_network() -> None:
    assert sorted(COUNTS) == names()


@pytest.mark.parametrize("name", sorted(COUNTS))
def test_network_has_exactly_the_parameters_of_the_table(name: str) -> None:
    with torch.device("meta"):
        network = build(name)

    assert sum(parameter.numel() for parameter in network.parameters()) == COUNTS[name].parameters


@pytest.mark.parametrize("name", [name for name, count in COUNTS.items() if re.search(r"\d,\d", count.source)])
def test_sum_by_hand_is_the_number_that_its_note_states(name: str) -> None:
    stated = re.search(r"\d[\d,]+\d", COUNTS[name].source).group().replace(",", "")

    assert COUNTS[name].parameters == int(stated)


def test_count_taken_from_torchvision_is_what_torchvision_publishes() -> None:
    from torchvision import models

    taken = {name: re.search(r"torchvision: (\w+)\.meta", count.source) for name, count in COUNTS.items()}
    published = {
        name: models.get_weight(f"{match[1]}.IMAGENET1K_V1").meta["num_params"]
        for name, match in taken.items()
        if match
    }

    assert published == {name: COUNTS[name].parameters for name in published}
    assert published
