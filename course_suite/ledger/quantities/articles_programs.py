"""What the study articles state of the behaviour of programs and layers: each pattern is run, on small tensors."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from course_suite.ledger.quantities import quantity

if TYPE_CHECKING:
    from course_lib.models.googlenet import GoogLeNet

AUX_WEIGHT = 0.3


@quantity
def article_pointwise_doubles() -> bool:
    """Whether a 1x1 kernel of value 2 doubles a 6x6 image of one channel, and does no more."""
    import torch
    from torch.nn import functional

    image = torch.arange(36.0).view(1, 1, 6, 6)
    return torch.equal(functional.conv2d(image, torch.full((1, 1, 1, 1), 2.0)), 2 * image)


@quantity
def article_mean_keeps_positions() -> bool:
    """Whether the mean over all places changes when the places are shuffled, and the flattened maps do not."""
    import torch

    maps = torch.randn(2, 8, 7, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    shuffled = maps.flatten(2).flip(2).view_as(maps)
    same_mean = torch.allclose(maps.mean((2, 3)), shuffled.mean((2, 3)))
    same_row = torch.equal(maps.flatten(1), shuffled.flatten(1))
    return same_row and not same_mean


@quantity
def article_heads_help_the_gradient(num_seeds: int = 3) -> bool:
    """Whether the heads' losses raise the gradient of GoogLeNet's first layer by half or more, with each seed.

    Before any training, with Glorot's first weights, with which a gradient shrinks on its way down; random images of
    32x32. The gradient of a layer above both heads must stay as it is.
    """
    return all(_heads_help(_googlenet(seed)) for seed in range(num_seeds))


def _googlenet(seed: int) -> GoogLeNet:
    """A GoogLeNet for ten classes with Glorot's weights and without dropout; the global generator is left alone."""
    import torch
    from torch import nn

    from course_lib.models import build
    from course_lib.models.blocks import initialize

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = build("googlenet", num_classes=10, aux_pool="adaptive")
        initialize(network, nn.init.xavier_uniform_)
    for layer in network.modules():
        if isinstance(layer, nn.Dropout):
            layer.p = 0.0
    return network.train()


def _heads_help(network: GoogLeNet) -> bool:
    import torch
    from torch.nn import functional

    images = torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(0))
    output, labels = network(images), torch.arange(4)
    main = functional.cross_entropy(output.logits, labels)
    heads = AUX_WEIGHT * sum(functional.cross_entropy(logits, labels) for logits in output.aux)
    layers = [network.features.conv1.conv.weight, network.features.inception5b.b1.conv.weight]
    alone = [grad.norm() for grad in torch.autograd.grad(main, layers, retain_graph=True)]
    helped = [grad.norm() for grad in torch.autograd.grad(main + heads, layers)]
    return bool(helped[0] > 1.5 * alone[0] and torch.isclose(helped[1], alone[1]))


@quantity
def article_cross_entropy_is_entropy_and_divergence() -> bool:
    """Whether cross-entropy less the divergence is the entropy, and both have one gradient, for random scores."""
    import torch
    from torch.distributions import Categorical, kl_divergence
    from torch.nn import functional

    generator = torch.Generator().manual_seed(0)
    target = torch.randn(100, 10, generator=generator, dtype=torch.float64).softmax(1)
    scores = torch.randn(100, 10, generator=generator, dtype=torch.float64, requires_grad=True)
    cross = functional.cross_entropy(scores, target, reduction="none")
    divergence = kl_divergence(Categorical(probs=target), Categorical(logits=scores))
    one, other = (torch.autograd.grad(loss.sum(), scores, retain_graph=True)[0] for loss in (cross, divergence))
    return torch.allclose(cross - divergence, Categorical(probs=target).entropy()) and torch.allclose(one, other)


@quantity
def article_004_alexnet_runs() -> bool:
    """Whether ``nn.MaxPool2d(nn.ReLU(self.conv1(x)), stride=2)`` gives something that the next layer can take."""
    import torch
    from torch import nn

    conv1 = nn.Conv2d(3, 96, kernel_size=11, stride=4, device="meta")
    conv2 = nn.Conv2d(96, 256, kernel_size=5, padding=2, device="meta")
    x = torch.empty(1, 3, 227, 227, device="meta")
    try:
        conv2(nn.MaxPool2d(nn.ReLU(conv1(x)), stride=2))
    except TypeError:  # a layer was made, and none was applied: conv2 is given a layer, not a tensor
        return False
    return True


@quantity
def article_unpooling_returns_to_the_maximum() -> bool:
    """Whether max unpooling has each maximum where it was, and zeros elsewhere."""
    import torch
    from torch.nn import functional

    x = torch.rand(2, 3, 6, 6, generator=torch.Generator().manual_seed(0)) + 1
    pooled, places = functional.max_pool2d(x, 2, return_indices=True)
    is_maximum = x == functional.interpolate(pooled, scale_factor=2, mode="nearest")
    return torch.equal(functional.max_unpool2d(pooled, places, 2), torch.where(is_maximum, x, 0.0))


@quantity
def article_004_reshape_takes_any_batch(features: int = 1024, batch_size: int = 64) -> bool:
    """Whether ``fc(x.reshape(batch_size, -1))``, with ``batch_size`` from outside, takes batches of other sizes too.

    Raises:
        ValueError: not even a batch of its own size passes.
    """
    import torch
    from torch import nn

    fc = nn.Linear(features, 2, device="meta")

    def passes(count: int) -> bool:
        try:
            fc(torch.empty(count, features, 1, 1, device="meta").reshape(batch_size, -1))
        except RuntimeError:
            return False
        return True

    if not passes(batch_size):
        raise ValueError(f"a batch of {batch_size} itself does not pass")
    return all(passes(count) for count in (1, batch_size // 2, batch_size - 1, 2 * batch_size))


@quantity
def article_004_equaliser_waits_for_channels_to_differ() -> bool:
    """Whether ``x.size() is not out.size()`` is true for different channels, and only then."""
    import torch

    x, same, wider = (torch.empty(1, channels, 4, 4, device="meta") for channels in (8, 8, 16))
    return x.size() is not wider.size() and not (x.size() is not same.size())


@quantity
def article_004_degradation(data: list[str]) -> bool | None:
    """Whether 56 plain layers err more than 20 in training and in the test, and 56 residual ones less than plain ones.

    Means over the runs of the records ``plain20_DATA``, ``plain56_DATA`` and ``resnet56_DATA``, of the first of
    ``data`` that has them all. None while none has.
    """
    from course_suite.records import load_records

    found = {record["name"]: record["runs"] for record in load_records()}
    for name in data:
        names = [f"{model}_{name}" for model in ("plain20", "plain56", "resnet56")]
        if all(record in found for record in names):
            errors = [_errors(found[record]) for record in names]
            return all(deep > shallow and deep > residual for shallow, deep, residual in zip(*errors, strict=True))
    return None


def _errors(runs: list[dict[str, Any]]) -> tuple[float, float]:
    """Mean errors in training and in the test, of the last epoch."""
    training = [1 - run["history"]["train_accuracy"][-1] for run in runs]
    test = [1 - run["metrics"]["test_accuracy"] for run in runs]
    return sum(training) / len(runs), sum(test) / len(runs)
