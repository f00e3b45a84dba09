"""Every entry of the ledger: what it records is what its computation gives today, and the computation is right."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torchvision
from models_table import COUNTS
from torch import nn

from course_lib.complexity import build_meta
from course_lib.models import card, input_shape, names, registry
from course_lib.models.alexnet import TWO_GROUPS, AlexNet
from course_lib.models.lenet import FULL_TABLE, lenet5_1998
from course_suite.ledger import ENTRIES, EntryError, entries, problems, quantities, review
from course_suite.ledger.quantities import networks

ROOT = Path(__file__).resolve().parents[1]
FILES = sorted(path.stem for path in ENTRIES.glob("*.yaml"))


def red_entries(source: str) -> dict[str, list[str]]:
    """The entries of a file that are not as recorded, with what is wrong."""
    red = {}
    for entry in entries(source):
        try:
            lines = problems(review(entry))
        except EntryError as error:
            lines = [str(error)]
        if lines:
            red[entry.id] = lines
    return red


def test_there_are_entries_to_test():
    assert FILES
    assert all(len(entries(source)) for source in FILES)


@pytest.mark.parametrize("source", FILES)
def test_entries_record_what_their_computations_give(source):
    assert red_entries(source) == {}


@pytest.mark.parametrize("source", FILES)
def test_entries_name_their_file_as_their_source(source):
    sources = {entry.source for entry in entries(source)}

    assert sources == {source} or all(re.fullmatch(r"article-00[0-4]", key) for key in sources)


@pytest.mark.texts
def test_sources_stand_in_the_bibliography():
    keys = set(re.findall(r"^@\w+\{(\w+),", (ROOT / "book" / "references.bib").read_text("utf-8"), flags=re.MULTILINE))
    sources = {entry.source for entry in entries() if not entry.source.startswith("article-")}

    assert sources <= keys


@pytest.mark.texts
def test_every_entry_names_the_label_of_a_chapter():
    labels = {
        label
        for path in (ROOT / "notebooks").glob("*.md")
        for label in re.findall(r"^\((ch-[\w-]+)\)=", path.read_text("utf-8"), flags=re.MULTILINE)
    }

    assert {entry.chapter for entry in entries()} - labels == set()


def computations(compute: Any) -> Iterator[dict]:
    """A computation, and those inside it."""
    if isinstance(compute, dict):
        if "function" in compute:
            yield compute
        for value in compute.values():
            yield from computations(value)
    elif isinstance(compute, list):
        for value in compute:
            yield from computations(value)


def test_no_entry_is_computed_from_its_own_printed_figure():
    circular = [
        entry.id
        for entry in entries()
        for compute in computations(entry.compute)
        for item in compute.get("of", [])
        if isinstance(item, str) and item.partition("[")[0] == entry.id
    ]

    assert circular == []


def test_every_named_function_is_used_by_an_entry():
    computed = [
        part for entry in entries() for part in (entry.compute, entry.explained_by and entry.explained_by.compute)
    ]
    used = {compute["function"] for part in computed for compute in computations(part)}
    quantities.find("params")  # the files of functions are read when the first is asked for

    assert set(quantities.QUANTITIES) - used == set()


def test_no_entry_merely_repeats_a_number():
    idle = [
        entry.id
        for entry in entries()
        for compute in (entry.compute if isinstance(entry.compute, list) else [entry.compute])
        if compute and compute["function"] == "value" and any(isinstance(item, int | float) for item in compute["of"])
    ]

    assert idle == []


def test_no_computation_reads_what_the_ledger_records():
    for path in Path(quantities.__file__).parent.glob("*.py"):
        imported = {
            node.module for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.ImportFrom)
        }
        read = {
            "course_suite.ledger",
            "course_suite.ledger.ledger",
            "course_suite.ledger.entry",
            "course_suite.ledger.review",
        }
        assert not imported & read, f"{path.name} can see the entries"


def test_formulas_that_are_tried_are_those_printed():
    tried = {e.id: e.compute["formula"] for e in entries("dumoulin2016guide") if "formula" in e.compute}

    assert tried == {e.id: e.stated for e in entries("dumoulin2016guide") if "formula" in e.compute}
    assert len(tried) == 15


def totals(function: str) -> set[tuple[str, tuple[int, ...] | None]]:
    """Networks whose total some entry computes, with the image; those built with their default options."""
    narrowing = {"options", "layers", "without", "kinds", "biases", "norms", "training"}
    return {
        (compute["model"], tuple(compute["image"]) if "image" in compute else None)
        for entry in entries()
        for compute in computations([entry.compute, entry.explained_by and entry.explained_by.compute])
        if compute["function"] == function and not narrowing & set(compute)
    }


def published(name: str) -> dict[str, Any] | None:
    """Torchvision's own figures of a network that is the same as ours; None for the others."""
    theirs = card(name).torchvision
    return torchvision.models.get_model_weights(theirs).DEFAULT.meta if theirs else None


def test_parameter_totals_agree_with_published_counts_and_counts_by_hand():
    for model, _ in totals("params"):
        found = networks.params(model)
        assert found == COUNTS[model].parameters, model
        assert published(model) is None or found == published(model)["num_params"], model


def macs_by_hand(name: str, image: tuple[int, ...]) -> int:
    """Places of each output times the weights that meet there, from the shapes that pass through the layers."""
    counted = []

    def count(layer: nn.Module, _: Any, output: torch.Tensor) -> None:
        places = output[0, 0].numel() if output.dim() == 4 else 1
        counted.append(places * layer.weight.numel())

    network = build_meta(name).eval()
    for layer in network.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.register_forward_hook(count)
    with torch.no_grad():
        network(torch.empty(1, *image, device="meta"))
    return sum(counted)


def test_multiply_add_totals_agree_with_a_formula_by_hand_and_with_torchvision():
    always = {(name, None) for name in ("alexnet_owt", "vgg16", "googlenet_torchvision", "resnet50", "mobilenet_v2")}
    for model, image in totals("macs") | always:
        image = image or input_shape(model)
        found = networks.macs(model, image=list(image))
        assert found == macs_by_hand(model, image), model
        meta = published(model)
        if meta is not None and image == (3, 224, 224):
            assert found / 1e9 == pytest.approx(meta["_ops"], abs=0.0006), model


@pytest.fixture
def rebuilt(monkeypatch):
    """Put another builder in the place of one of ours; all counts are forgotten before and after."""

    def replace(name: str, builder: Any) -> None:
        monkeypatch.setitem(registry.BUILDERS, name, builder)
        quantities.forget()

    names()
    yield replace
    monkeypatch.undo()
    quantities.forget()


def test_another_table_of_lenet_turns_the_entries_that_depend_on_it_red(rebuilt):
    rebuilt("lenet5_1998", partial(lenet5_1998, c3_table=FULL_TABLE))

    assert set(red_entries("lecun1998gradient")) == {
        "lenet-5-c3-trainable-parameters",
        "lenet-5-c3-connections",
        "lenet-5-total-connections",
        "lenet-5-total-trainable-parameters",
        *(f"lenet-5-table-i-s2-maps-feeding-c3-map-{number}" for number in range(15)),
    }


def test_another_width_of_alexnet_turns_the_entries_that_depend_on_it_red(rebuilt):
    wider = (*TWO_GROUPS[:2], TWO_GROUPS[2]._replace(out_channels=400), *TWO_GROUPS[3:])
    rebuilt("alexnet", lambda: AlexNet(wider, 1000, 3, 227, 0.5, 4096))

    red = red_entries("krizhevsky2012imagenet")

    assert set(red) == {
        "alexnet-parameters-stated",
        "alexnet-neurons-stated",
        "alexnet-fig-2-neurons-layer-3",
        "alexnet-conv3-kernels",
        "alexnet-conv4-kernels",
    }
    assert "the verdict is now 'differs', recorded 'reproduced'" in red["alexnet-conv3-kernels"][1]
