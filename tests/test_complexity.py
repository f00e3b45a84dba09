"""What an analysis does to the model (nothing), what its rows say, and how it fails."""

from __future__ import annotations

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, NamedTuple

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules import module as torch_module
from torch.overrides import _get_current_function_mode_stack
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from course_lib.complexity import Complexity, analyze, build_meta
from course_lib.models import build


class Output(NamedTuple):
    logits: Tensor
    aux: tuple[Tensor, ...]


class Net(nn.Module):
    """Convolutions, normalisation, a shortcut, a function with a parameter, a head for training, habits of its own."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.drop = nn.Dropout(0.5)
        self.scale = nn.Parameter(torch.rand(4, 1, 1))
        self.weight = nn.Parameter(torch.randn(4, 2))
        self.head = nn.Linear(4, 3)
        self.register_buffer("seen", torch.zeros(3))
        self.num_calls = 0

    def forward(self, x: Tensor) -> Output:
        self.num_calls += 1
        y = F.relu(self.norm(self.conv(x)), inplace=True)
        self.seen = self.seen + x.mean((0, 2, 3))
        self.last_input = x
        y = (y + y * self.scale).mean((2, 3))
        aux = (self.head(self.drop(y)),) if self.training else ()
        return Output(y @ self.weight, aux)


class Restless(Net):
    """One that rebuilds itself as it runs."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("steps", torch.zeros(1))

    def forward(self, x: Tensor) -> Output:
        del self.seen
        self.register_buffer("seen", torch.zeros(3))
        self.steps = torch.ones(2)
        self.part = nn.Linear(1, 1)
        self.scale = nn.Parameter(torch.ones(4, 1, 1))
        return super().forward(x)


def observer(module: nn.Module, args: tuple, output: Any) -> None:
    """A hook of the user's."""


def state(model: nn.Module) -> dict[str, Any]:
    """All that can be seen of a model."""
    return {
        "values": [
            (name, tensor.clone(), tensor.device, tensor.data_ptr()) for name, tensor in model.state_dict().items()
        ],
        "gradients": [(id(p), p.requires_grad, p.grad) for p in model.parameters()],
        "modes": [module.training for module in model.modules()],
        "hooks": [list(module._forward_hooks.items()) for module in model.modules()],
        "attributes": [sorted(vars(module)) for module in model.modules()],
        "parts": [name for name, _ in model.named_modules()],
    }


def assert_same(before: dict[str, Any], after: dict[str, Any]) -> None:
    for (name, value, *place), (_, now, *place_now) in zip(before.pop("values"), after.pop("values"), strict=True):
        assert torch.equal(value, now), name
        assert place == place_now, name
    assert before == after


def nothing_left_behind() -> bool:
    hooks = (torch_module._global_forward_hooks, torch_module._global_forward_pre_hooks)
    return not any(hooks) and not _get_current_function_mode_stack() and torch.is_grad_enabled()


@pytest.fixture(params=[Net, Restless])
def net(request: pytest.FixtureRequest) -> Net:
    """Partly in training mode, partly not; with a frozen layer and a hook."""
    model = request.param()
    model.norm.eval()
    model.head.requires_grad_(False)
    model.conv.register_forward_hook(observer)
    return model


@pytest.mark.parametrize("training", [False, True])
def test_model_stays_as_it_was(net: Net, training: bool) -> None:
    before, generator = state(net), torch.get_rng_state()

    analyze(net, (3, 8, 8), training=training)

    assert_same(before, state(net))
    assert net.num_calls == 0
    assert torch.equal(generator, torch.get_rng_state())
    assert nothing_left_behind()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_model_on_a_gpu_stays_there(net: Net) -> None:
    expected = analyze(net, (3, 8, 8))
    before = state(net.cuda())

    assert analyze(net, (3, 8, 8)) == expected
    assert_same(before, state(net))


@pytest.mark.parametrize("training", [False, True])
def test_model_stays_as_it_was_after_an_error(net: Net, training: bool) -> None:
    before = state(net)

    with pytest.raises(ValueError, match=r"layer conv \(Conv2d\)"):
        analyze(net, (5, 8, 8), training=training)

    assert_same(before, state(net))
    assert nothing_left_behind()


def test_analysis_within_an_analysis_leaves_nothing_behind() -> None:
    class Asking(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: Tensor) -> Tensor:
            self.found = analyze(nn.Conv2d(3, 8, 3), (3, 8, 8)).macs
            with pytest.raises(ValueError, match="cannot take"):
                analyze(nn.Conv2d(2, 8, 3), (3, 8, 8))
            return self.conv(x)

    found = analyze(Asking(), (3, 8, 8))

    assert found.rows[-1].macs == 4 * 36 * 27
    assert nothing_left_behind()


def test_other_threads_compute_undisturbed_and_are_not_counted() -> None:
    other, seen = nn.Linear(2, 2), SimpleQueue()

    class Starting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: Tensor) -> Tensor:
            thread = threading.Thread(target=lambda: seen.put(other(torch.ones(1, 2))))
            thread.start()
            thread.join()
            return self.conv(x)

    found = analyze(Starting(), (3, 8, 8))

    assert [row.name for row in found.rows] == ["conv"]
    assert torch.equal(seen.get_nowait(), other(torch.ones(1, 2)))


class Computed(TorchDispatchMode):
    """Records the tensors of every operation that are not on the meta device."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[Tensor] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: Any = None) -> Any:
        output = func(*args, **(kwargs or {}))
        leaves = (leaf for leaf in tree_leaves((args, output)) if isinstance(leaf, Tensor))
        self.seen += [leaf for leaf in leaves if not leaf.is_meta]
        return output


@pytest.mark.parametrize("make", [Net, lambda: build("lenet5_1998"), lambda: nn.LSTM(8, 5, batch_first=True)])
def test_nothing_is_computed_but_a_few_constants(make: Callable[[], nn.Module]) -> None:
    model = make()
    shape = (8, 8) if isinstance(model, nn.LSTM) else (1, 32, 32) if not isinstance(model, Net) else (3, 8, 8)

    with Computed() as computed:
        analyze(model, shape, training=True)

    own = {tensor.data_ptr() for tensor in model.parameters()}
    assert not own & {tensor.data_ptr() for tensor in computed.seen}
    assert max([tensor.numel() for tensor in computed.seen], default=0) < 10_000


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", ["lenet5", "resnet20", "mobilenet_v2", "googlenet"])
def test_model_with_weights_and_model_without_have_the_same_rows(name: str, training: bool) -> None:
    shape = (1, 32, 32) if name == "lenet5" else (3, 224, 224)

    real, shapes_alone = (
        analyze(build(name), shape, training=training),
        analyze(build_meta(name), shape, training=training),
    )

    assert real == shapes_alone


def test_rows_name_layers_and_functions_and_what_feeds_them() -> None:
    found = analyze(Net(), (3, 8, 8))

    rows = [(row.name, row.type, row.params, row.macs, row.inputs) for row in found.rows]
    assert rows == [
        ("conv", "Conv2d", 112, 64 * 4 * 27, (-1,)),
        ("norm", "BatchNorm2d", 8, 0, (0,)),
        ("relu", "relu", 0, 0, (1,)),
        ("mean", "mean", 0, 0, (-1,)),
        ("add", "add", 0, 0, (3,)),
        ("mul", "mul", 4, 0, (2,)),
        ("add", "add", 0, 0, (2, 5)),
        ("mean", "mean", 0, 0, (6,)),
        ("matmul", "matmul", 8, 8, (7,)),
    ]
    assert found.unused_params == 15


def test_training_mode_counts_the_auxiliary_head() -> None:
    found = analyze(Net(), (3, 8, 8), training=True)

    assert [(row.name, row.params, row.macs) for row in found.rows if row.type == "Linear"] == [("head", 15, 12)]
    assert found.unused_params == 0


def test_functions_of_a_block_have_its_name() -> None:
    found = analyze(nn.Sequential(nn.Conv2d(3, 3, 1), nn.Sequential(nn.ReLU(), Net())), (3, 8, 8))

    assert [row.name for row in found.rows if row.type in ("mul", "matmul")] == ["1.1.mul", "1.1.matmul"]


def test_every_parameter_of_our_networks_is_in_a_row_or_in_an_unused_head() -> None:
    found = analyze(build_meta("googlenet"), (3, 224, 224))

    assert found.unused_params == 6_379_728
    assert sum(row.params for row in found.rows) == 6_998_552
    assert analyze(build_meta("googlenet"), (3, 224, 224), training=True).unused_params == 0


def test_branch_that_fails_and_is_caught_leaves_no_trace() -> None:
    class Trying(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.second = nn.Conv2d(5, 4, 3), nn.Conv2d(3, 4, 3)

        def forward(self, x: Tensor) -> Tensor:
            try:
                return self.first(x)
            except RuntimeError:
                return self.second(x)

    found = analyze(Trying(), (3, 8, 8))

    assert [(row.name, row.params) for row in found.rows] == [("second", 112)]
    assert found.unused_params == 184


@pytest.mark.parametrize(
    ("model", "shape", "message"),
    [
        (
            nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(5, 6, 3)),
            (3, 8, 8),
            r"layer 2 \(Conv2d\) cannot take an input of shape \(1, 4, 6, 6\): the layer is for 5 channels, the",
        ),
        (nn.Sequential(nn.Conv2d(3, 4, 9)), (3, 8, 8), r"layer 0 \(Conv2d\) .* \(1, 3, 8, 8\): ."),
        (nn.Sequential(nn.Flatten(), nn.Linear(9, 2)), (3, 8, 8), r"layer 1 \(Linear\) .* \(1, 192\): "),
        (nn.Sequential(nn.BatchNorm2d(4)), (3, 8, 8), r"layer 0 \(BatchNorm2d\) .* \(1, 3, 8, 8\): running_mean"),
        (build("lenet5"), (1, 8, 8), r"layer LeNet5 \(LeNet5\) .* \(1, 1, 8, 8\): .* dies in 'c3' .*32x32"),
    ],
)
def test_input_that_does_not_fit_is_an_error_that_names_layer_and_shape(
    model: nn.Module, shape: tuple[int, ...], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        analyze(model, shape)


def test_forward_that_needs_values_is_an_error_that_says_so() -> None:
    class Deciding(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return x if x.sum() > 0 else -x

    model = nn.Sequential(nn.Conv2d(3, 4, 3), Deciding())
    message = r"layer 1 \(Deciding\) needs values, and shapes \(1, 4, 6, 6\) alone were to be used: it asks a tensor"
    with pytest.raises(ValueError, match=message):
        analyze(model, (3, 8, 8), values="never")
    with pytest.raises(ValueError, match="and the model has no values: build it on the CPU"):
        analyze(model.to("meta"), (3, 8, 8))


def test_values_that_do_not_depend_on_the_input_may_be_read() -> None:
    class Gated(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("enabled", torch.tensor(True))
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: Tensor) -> Tensor:
            return self.conv(x) if self.enabled else x

    assert analyze(Gated(), (3, 8, 8)).macs == 4 * 36 * 27


@pytest.mark.parametrize("shape", [(3, 0, 8), (3, 8.0, 8), "3x8x8", [(3, 8, 8), (0,)], 3, None, (3, True)])
def test_shape_that_is_none_is_refused(shape: Any) -> None:
    with pytest.raises(ValueError, match=r"a shape must hold positive integers, such as \(3, 224, 224\), got"):
        analyze(nn.Identity(), shape)


@pytest.mark.parametrize(
    ("model", "options", "message"),
    [
        (nn.Identity(), {"batch_size": 0}, "batch_size must be a positive integer or None, got 0"),
        (nn.Identity(), {"input_dtype": [torch.long] * 2}, "input_dtype must be one torch.dtype, or one for each of 1"),
        (nn.Sequential(nn.LazyLinear(3)), {"values": "never"}, "layer 0 has no shape yet: run the model once"),
        (nn.Identity(), {"values": "now"}, "values must be 'auto', 'never' or 'always', got 'now'"),
        (print, {}, "model must be a torch.nn.Module, got builtin_function_or_method"),
    ],
)
def test_what_cannot_be_analyzed_is_refused(model: Any, options: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        analyze(model, (3, 8, 8), **options)


def test_inputs_have_the_dtype_of_the_weights_or_the_one_that_is_given() -> None:
    embedding = nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 2))

    assert analyze(nn.Conv2d(3, 4, 3).half(), (3, 8, 8)).rows[0].activation_bytes == 2 * 4 * 36
    assert analyze(embedding, (6,), input_dtype=torch.long).macs == 6 * 8


def test_outputs_of_any_structure_are_followed() -> None:
    class Dicts(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, x: Tensor) -> dict[str, Any]:
            return {"map": self.conv(x), "inputs": [x, (x, None)]}

    found: Complexity = analyze(nn.Sequential(Dicts()), (3, 8, 8))

    assert [(row.name, row.inputs) for row in found.rows] == [("0.conv", (-1,))]


def test_compiled_model_is_counted_as_it_was_written() -> None:
    part = nn.Conv2d(3, 4, 3)
    part.compile(backend="eager")

    assert analyze(torch.compile(nn.Conv2d(3, 4, 3), backend="eager"), (3, 8, 8)).macs == 4 * 36 * 27
    assert (
        analyze(nn.Sequential(part, torch.compile(nn.Conv2d(4, 4, 1), backend="eager")), (3, 8, 8)).macs
        == 4 * 36 * 27 + 36 * 16
    )


def test_model_spread_over_devices_is_counted_as_one() -> None:
    found = analyze(nn.DataParallel(nn.Sequential(nn.Conv2d(3, 4, 3))), (3, 8, 8))

    assert [(row.name, row.macs) for row in found.rows] == [("0", 4 * 36 * 27)]


def test_stages_add_up_to_the_totals() -> None:
    found = analyze(build_meta("resnet20"), (3, 32, 32))

    stages = found.stages()

    assert list(stages) == ["stem", "stages", "final", "pool", "flatten", "fc"]
    assert sum(stage.params for stage in stages.values()) == found.params
    assert sum(stage.macs for stage in stages.values()) == found.macs
    assert [name for name in found.stages(depth=2) if name.startswith("stages")] == [
        f"stages.stage{number}" for number in (1, 2, 3)
    ]
    with pytest.raises(ValueError, match="depth must be a positive integer, got 0"):
        found.stages(depth=0)
