"""Starting from trained weights: torchvision's, or a file's, in our networks; a new head, and layers that stay."""

from __future__ import annotations

import hashlib
import pickle
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor, nn

from course_lib.models.blocks import match_state_dict
from course_lib.models.registry import CARDS, closest_first

HASHED_NAME = re.compile(r"-([0-9a-f]{8,})\.\w+$")  # resnet18-f37072fd.pth: how its SHA-256 begins


def twins() -> dict[str, str]:
    """torchvision's name of each of our networks that computes the same."""
    return {name: card.torchvision for name, card in CARDS.items() if card.torchvision}


def build_pretrained(builder: Callable[..., nn.Module], name: str, weights: str | Path, **options: Any) -> nn.Module:
    """A network with trained weights; see ``course_lib.models.build`` for ``weights``.

    With another number of classes than the weights have, the layers that score the classes keep their fresh weights:
    a new head.

    Raises:
        ValueError: the weights are of another network, damaged, unknown, or not to be had.
    """
    network = builder(**options)
    ours = network.state_dict()
    theirs = _in_order(read_weights(name, weights), name, list(ours))
    if len(ours) == len(theirs):
        pairs = zip(ours.items(), theirs.items(), strict=True)
        classes = find_head(network).weight.shape[0]
        theirs = {key: mine if _scores(classes, mine, other) else other for (_, mine), (key, other) in pairs}
    network.load_state_dict(match_state_dict(network, theirs))
    return network


def read_weights(name: str, weights: str | Path) -> dict[str, Tensor]:
    """The tensors of trained weights for the network called ``name``, under the names that their maker gave them.

    Args:
        weights: "torchvision" for the newest ones of torchvision's network, "torchvision:IMAGENET1K_V1" for named
            ones: from torch's cache, or downloaded into it, and compared with their hash; or a file of state, such as
            one of torchvision's or a checkpoint's ``weights.safetensors``. A file with a hash in its name, as
            torchvision's have, is compared with it.

    Raises:
        ValueError: no such weights or file, a wrong hash, or a file that holds no tensors.
    """
    kind, _, version = str(weights).partition(":")
    if kind == "torchvision":
        return _torchvisions(name, version)
    path = Path(weights).expanduser()
    try:
        expected = HASHED_NAME.search(path.name)
        if expected and not hashlib.sha256(path.read_bytes()).hexdigest().startswith(expected[1]):
            raise ValueError(f"{path} is damaged: its SHA-256 does not begin with {expected[1]}, as its name says")
        state = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except OSError as error:
        reason = error.strerror or _first_line(error)
        raise ValueError(
            f'weights must be "torchvision", "torchvision:NAME" or a file, got {str(weights)!r} ({reason})'
        ) from None
    except (SafetensorError, RuntimeError, EOFError, pickle.UnpicklingError, KeyError) as error:
        raise ValueError(f"{path} cannot be read as weights ({_first_line(error)})") from None
    if not (isinstance(state, dict) and state and all(isinstance(tensor, Tensor) for tensor in state.values())):
        raise ValueError(f"{path} must hold a dict of tensors, as state_dict() gives it, got {type(state).__name__}")
    return state


def find_head(network: nn.Module) -> nn.Linear | nn.Conv2d:
    """The layer that scores the classes: the last linear or convolutional one that is registered.

    Raises:
        ValueError: the network has none.
    """
    layers = [layer for layer in network.modules() if isinstance(layer, nn.Linear | nn.Conv2d)]
    if not layers:
        raise ValueError(f"{type(network).__name__} has no linear or convolutional layer to be its head")
    return layers[-1]


def new_head(network: nn.Module, num_classes: int) -> nn.Module:
    """Put a fresh layer for ``num_classes`` classes in the place of ``find_head``'s; return the network.

    (N, C, H, W) -> (N, num_classes) afterwards. The weights are drawn as torch draws those of a new layer.
    """
    old = find_head(network)
    if isinstance(old, nn.Linear):
        fresh: nn.Module = nn.Linear(old.in_features, num_classes, old.bias is not None)
    else:
        fresh = nn.Conv2d(
            old.in_channels, num_classes, old.kernel_size, old.stride, old.padding, bias=old.bias is not None
        )
    place = next(name for name, layer in network.named_modules() if layer is old)
    parent, _, last = place.rpartition(".")
    setattr(network.get_submodule(parent), last, fresh.to(old.weight.device))
    return network


def freeze(layers: nn.Module) -> None:
    """Let no training change these layers: their weights get no gradient, and they stay in evaluation mode.

    So the statistics of batch normalisation stay too, and dropout is off, whatever ``train()`` says.
    """
    layers.requires_grad_(False)
    for layer in layers.modules():
        if _stay not in layer._forward_pre_hooks.values():
            layer.register_forward_pre_hook(_stay)


def freeze_all_but_head(network: nn.Module) -> nn.Module:
    """``freeze`` everything but ``find_head``'s layer; return the network."""
    head = find_head(network)
    freeze(network)
    unfreeze(head)
    for container in network.modules():  # what holds the head must go on as it is told
        if any(layer is head for layer in container.modules()):
            _let_go(container)
    return network


def unfreeze(layers: nn.Module) -> None:
    """Undo ``freeze``."""
    layers.requires_grad_(True)
    for layer in layers.modules():
        _let_go(layer)


def _stay(layer: nn.Module, _: object) -> None:
    layer.training = False


def _let_go(layer: nn.Module) -> None:
    for key, hook in list(layer._forward_pre_hooks.items()):
        if hook is _stay:
            del layer._forward_pre_hooks[key]


def _in_order(state: dict[str, Tensor], name: str, ours: list[str]) -> dict[str, Tensor]:
    """The tensors in the order of our network, which they are matched by; safetensors keeps them by name."""
    orders = [ours]
    if twin := twins().get(name):
        from torchvision import models

        with torch.device("meta"):
            orders.append(list(models.get_model(twin).state_dict()))
    order = next((order for order in orders if set(order) == set(state)), list(state))
    return {key: state[key] for key in order}


def _scores(classes: int, mine: Tensor, theirs: Tensor) -> bool:
    """Whether two tensors are of a layer that scores the classes, and differ in their number alone."""
    return mine.ndim > 0 and mine.shape[0] == classes != theirs.shape[:1].numel() and mine.shape[1:] == theirs.shape[1:]


def _torchvisions(name: str, version: str) -> dict[str, Tensor]:
    from torchvision import models

    known = twins()
    if name not in known:
        raise ValueError(
            f"torchvision has no weights for {name}; it has some for {', '.join(closest_first(name, known))}"
        )
    known = models.get_model_weights(known[name])
    if version and version not in known.__members__:
        raise ValueError(f"torchvision has no weights {version!r} for {name}, but {', '.join(known.__members__)}")
    chosen = known[version] if version else known.DEFAULT
    try:
        return dict(chosen.get_state_dict(progress=False, check_hash=True))
    except (OSError, RuntimeError) as error:
        place = Path(torch.hub.get_dir(), "checkpoints", chosen.url.rpartition("/")[2])
        raise ValueError(
            f"torchvision's {chosen} could not be had ({_first_line(error)}): put the file at {place}, "
            f"or give another one as weights"
        ) from None


def _first_line(error: Exception) -> str:
    return " ".join(str(error).split())[:100] or type(error).__name__
