"""Training on a GPU, emulated where there is none: see ``fake_cuda``. The oracle is the same run on the CPU."""

import os
import subprocess
import sys

import pytest
import torch
import torch.nn.functional as F
from fake_cuda import CudaTensor, emulated_cuda
from torch import nn
from training_cases import noise, numbers, same_weights, small_net

from course_lib.data import ImageData, Split
from course_lib.measuring import matrix_product_peak
from course_lib.models import build, names
from course_lib.models.registry import BUILDERS
from course_lib.training import Augment, TrainingError, evaluate, find_device, fit, seeded
from course_lib.training.pools import DeterministicAdaptiveAvgPool2d
from course_lib.training.reproducible import deterministic_algorithms

SMALL = {  # a network of each file that registers any, and each with an adaptive pool; with the side of its images
    "lenet5": ({}, 32),
    "lenet5_1998": ({}, 32),
    "mnist_cnn": ({}, 28),
    "alexnet": ({"input_size": 67, "hidden_features": 16}, 67),
    "alexnet_owt": ({}, 64),
    "zfnet": ({"input_size": 64, "hidden_features": 16}, 64),
    "vgg11": ({"hidden_features": 16}, 48),
    "vgg16_small": ({"input_size": 32}, 32),
    "nin_cifar": ({}, 32),
    "googlenet": ({"batch_norm": True, "aux_pool": "adaptive"}, 32),
    "googlenet_torchvision": ({}, 64),
    "resnet18": ({}, 40),
    "resnet20": ({}, 16),
    "resnet50_article_004": ({}, 40),
    "mobilenet_v1": ({"width": 0.25}, 40),
    "mobilenet_v2": ({"width": 0.35}, 40),
    "efficientnet_b0": ({}, 40),
}


def few(channels, side, count=4):
    """A few images of noise in ten classes."""
    generator = torch.Generator().manual_seed(0)
    splits = [
        Split(
            torch.randint(0, 256, (size, channels, side, side), dtype=torch.uint8, generator=generator),
            torch.arange(size) % 10,
        )
        for size in (count, 2)
    ]
    return ImageData("noise", *splits, tuple("0123456789"))


def test_a_network_of_every_file_is_trained():
    every = {BUILDERS[name].__module__ for name in names()}
    assert {BUILDERS[name].__module__ for name in SMALL} == every


def channels_of(name):
    return 1 if name in ("lenet5", "lenet5_1998", "mnist_cnn") else 3


@pytest.mark.parametrize("name", SMALL)
def test_every_kind_of_network_trains_a_step_deterministically(name):
    options, side = SMALL[name]
    data = few(channels_of(name), side)
    if not name.startswith("lenet5_1998"):
        options = {"num_classes": 10, **options}
    with seeded(0), emulated_cuda():
        model = build(name, **options)
        history = fit(model, data, epochs=1, batch_size=4, lr=1e-6, device="cuda")
        assert {type(weight).__mro__[1] for weight in model.parameters()} == {CudaTensor}
    with seeded(0):
        model = build(name, **options)
    expected = fit(model, data, epochs=1, batch_size=4, lr=1e-6, device="cpu")
    assert history.step_loss == pytest.approx(expected.step_loss, rel=1e-5)


# ---- adaptive pools --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("given", [(6, 9), (7, 7), (1, 1), (5, 3)])
@pytest.mark.parametrize("wanted", [1, 3, 7, (2, 3), (None, 3), (4, None)])
def test_the_deterministic_pool_is_torchs(given, wanted):
    x = torch.randn(2, 3, *given, generator=torch.Generator().manual_seed(0))
    first, second = x.clone().requires_grad_(), x.clone().requires_grad_()
    ours, theirs = DeterministicAdaptiveAvgPool2d(wanted)(first), nn.AdaptiveAvgPool2d(wanted)(second)
    torch.testing.assert_close(ours, theirs)
    weights = torch.arange(ours.numel()).view(ours.shape).float()
    (ours * weights).sum().backward()
    (theirs * weights).sum().backward()
    torch.testing.assert_close(first.grad, second.grad)


def test_the_deterministic_pool_sums_in_float32_under_autocast():
    x = torch.randn(1, 1, 5, 5, generator=torch.Generator().manual_seed(0)).bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        found = DeterministicAdaptiveAvgPool2d(2)(x)
    assert found.dtype == torch.bfloat16
    assert torch.equal(found, F.adaptive_avg_pool2d(x.float(), 2).bfloat16())


class Pooled(nn.Module):
    """Whose pool is a function, so that nobody can put another one in its place."""

    def __init__(self, pool):
        super().__init__()
        self.conv, self.head, self.pool = nn.Conv2d(1, 2, 3), nn.Linear(8, 10), pool

    def forward(self, x):
        return self.head(self.pool(self.conv(x)).flatten(1))


def test_the_pools_of_a_model_are_its_own_again_after_training():
    model = Pooled(nn.AdaptiveAvgPool2d(2))
    with emulated_cuda():
        fit(model, noise(), epochs=1, device="cuda")
        assert type(model.pool) is nn.AdaptiveAvgPool2d
        with deterministic_algorithms(True):
            loss = model(torch.zeros(1, 1, 8, 8, device="cuda")).sum()
            with pytest.raises(RuntimeError, match="adaptive_avg_pool2d_backward_cuda does not have a deterministic"):
                loss.backward()


@pytest.mark.parametrize(
    ("pool", "name"),
    [
        (lambda x: F.adaptive_avg_pool2d(x, 2), "adaptive_avg_pool2d_backward_cuda"),
        (nn.AdaptiveMaxPool2d(2), "adaptive_max_pool2d_backward_cuda"),
    ],
)
def test_what_has_no_deterministic_form_is_named_with_the_remedy(pool, name):
    with emulated_cuda():
        with pytest.raises(
            ValueError, match=f"^model uses {name}, which has no deterministic form on cuda: with determ"
        ):
            fit(Pooled(pool), noise(), epochs=1, device="cuda")
        assert fit(Pooled(pool), noise(), epochs=1, device="cuda", deterministic=False).epochs == 1


# ---- what a GPU waits for, and what it has ---------------------------------------------------------------------------


@pytest.mark.parametrize("augment", [None, Augment(crop=1, flip=True)])
def test_an_epoch_is_copied_once_and_waited_for_at_its_end(augment):
    counts = []
    for images in (64, 192):  # of 16: 4 and 12 steps
        with emulated_cuda() as gpu:
            fit(small_net(), noise(train=images), epochs=2, batch_size=16, device="cuda", augment=augment)
            counts.append((gpu.copies.count("to cuda"), gpu.copies.count("from cuda")))
    assert counts[0] == counts[1]


def test_a_run_is_that_of_the_cpu_and_can_be_resumed(tmp_path):
    settings = {"epochs": 2, "batch_size": 16, "augment": Augment(crop=1), "precision": "bf16", "channels_last": True}
    expected = fit(small_net(), noise(), device="cpu", **settings)
    model, again = small_net(), small_net()
    with emulated_cuda():
        history = fit(model, noise(), device="auto", checkpoint=tmp_path, **settings)
        assert numbers(fit(again, noise(), device="cuda", checkpoint=tmp_path, resume=True, **settings)) == numbers(
            history
        )
        assert numbers(history) == numbers(expected)
        assert same_weights(model, again)
        assert evaluate(model, noise().test).probabilities.device.type == "cpu"


def test_the_random_states_of_both_devices_are_put_back():
    with emulated_cuda() as gpu:
        before = torch.get_rng_state(), gpu.generator.get_state()
        with seeded(5, "cuda"):
            assert gpu.generator.initial_seed() == 5
            assert torch.initial_seed() == 5
        fit(small_net(), noise(), epochs=1, device="cuda", seed=9)
        with seeded(7):
            assert torch.equal(gpu.generator.get_state(), before[1])  # a run on the CPU leaves the GPU alone
        assert torch.equal(torch.get_rng_state(), before[0])
        assert torch.equal(gpu.generator.get_state(), before[1])


def test_a_matrix_product_before_training_does_no_harm():
    code = (
        "import torch; from fake_cuda import start; gpu = start()\n"
        "from training_cases import noise, small_net\n"
        "x = torch.ones(2, 2, device='cuda'); x @ x\n"
        "from course_lib.training import fit; fit(small_net(), noise(), epochs=1, device='cuda')"
    )
    env = {name: value for name, value in os.environ.items() if name != "CUBLAS_WORKSPACE_CONFIG"}
    run = subprocess.run([sys.executable, "-c", code], env=env | {"PYTHONPATH": os.path.dirname(__file__)}, check=False)  # noqa: PTH120
    assert run.returncode == 0


def test_without_the_workspace_of_cublas_the_remedy_is_named(monkeypatch):
    monkeypatch.delenv("CUBLAS_WORKSPACE_CONFIG")
    with emulated_cuda(), pytest.raises(ValueError, match="only if CUBLAS_WORKSPACE_CONFIG=:4096:8 is set before the"):
        fit(small_net(), noise(), epochs=1, device="cuda")


@pytest.mark.parametrize("memory", [1000, 30_000])  # too little for the images; too little for the first feature maps
def test_out_of_memory_is_one_line_with_a_remedy(memory):
    message = (
        r"^out of memory on cuda \(tried to allocate [\d.]+ mib\): make batch_size smaller \(it is 64\), or[^\n]+$"
    )
    with emulated_cuda(memory=memory), pytest.raises(TrainingError, match=message):
        fit(small_net(), noise(), epochs=1, device="cuda")


def test_out_of_memory_on_the_cpu_is_one_line_too():
    class Greedy(nn.Module):
        def __init__(self):
            super().__init__()
            self.weight = nn.Parameter(torch.zeros(1))

        def forward(self, x):
            return torch.empty(len(x) * 2**50)

    with pytest.raises(TrainingError, match=r"^out of memory on cpu \(tried to allocate \d+ bytes\): make batch_size"):
        fit(Greedy(), noise(), epochs=1, device="cpu")


def test_a_test_takes_no_more_images_at_a_time_than_a_step():
    sizes, model = set(), small_net()
    model.register_forward_pre_hook(lambda module, inputs: sizes.add((module.training, len(inputs[0]))))
    fit(model, noise(train=24, test=30), epochs=1, batch_size=12)
    assert sizes == {(True, 12), (False, 12), (False, 6)}


def test_a_peak_waits_for_its_own_device():
    with emulated_cuda(count=2) as gpu:
        matrix_product_peak(sizes=(8,), repeats=1, device="cuda:1")
        assert set(gpu.synchronised) == {"cuda:1"}


@pytest.mark.parametrize(
    ("device", "message"),
    [
        ("bogus", "device must be auto, cpu, cuda, cuda:NUMBER or mps, got 'bogus'"),
        ("meta", "device must be auto, cpu, cuda, cuda:NUMBER or mps, got 'meta'"),
        ("cuda:x", "device must be auto, cpu, cuda, cuda:NUMBER or mps, got 'cuda:x'"),
        ("cuda:2", "device cuda:2 was asked for, and torch sees only 2 of them, from cuda:0: use auto or cpu"),
    ],
)
def test_a_device_that_is_not_there_is_refused(device, message):
    with emulated_cuda(count=2), pytest.raises(ValueError, match=message):
        find_device(device)


def test_a_device_is_found():
    with emulated_cuda(count=2):
        assert [str(find_device(name)) for name in ("auto", "cuda:1", "cpu")] == ["cuda", "cuda:1", "cpu"]


@pytest.mark.skipif(torch.cuda.is_available(), reason="is about machines without a GPU")
def test_a_machine_without_a_gpu_says_so():
    assert find_device("auto") == torch.device("cpu")
    for device in ("cuda", "cuda:0"):
        with pytest.raises(
            ValueError, match=f"^device {device} was asked for, and torch sees no CUDA GPU: use auto or cpu"
        ):
            fit(small_net(), noise(), epochs=1, device=device)
