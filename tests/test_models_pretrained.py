"""Trained weights in our networks: torchvision's from torch's cache, or a file's; heads, frozen layers, two rates."""

import copy
import hashlib

import pytest
import torch
from safetensors.torch import save_file
from torch import nn
from training_cases import noise, small_net

from course_lib.models import build, names, pretrained
from course_lib.models.pretrained import (
    find_head,
    freeze,
    freeze_all_but_head,
    new_head,
    read_weights,
    twins,
    unfreeze,
)
from course_lib.training import Recipe, fit, parameter_groups


def theirs(name="mobilenet_v2", **options):
    """torchvision's network with small random weights, in evaluation mode."""
    from torchvision import models

    torch.manual_seed(0)
    network = models.get_model(name, **options).eval()
    for layer in network.modules():
        if isinstance(layer, nn.BatchNorm2d):
            nn.init.uniform_(layer.running_mean, -0.1, 0.1)
            nn.init.uniform_(layer.running_var, 0.5, 1.5)
    return network


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """An empty cache of torch's, and a network that cannot be reached."""
    monkeypatch.setattr(torch.hub, "get_dir", lambda: str(tmp_path))

    def no_network(*_, **__):
        raise OSError("no route to host")

    monkeypatch.setattr(torch.hub, "download_url_to_file", no_network)
    (tmp_path / "checkpoints").mkdir()
    return tmp_path / "checkpoints"


# ---- weights ---------------------------------------------------------------------------------------------------------


def test_every_twin_is_a_network_of_both_with_weights_of_torchvisions():
    from torchvision import models

    assert set(twins()) <= set(names())
    for twin in twins().values():
        assert models.get_model_weights(twin).DEFAULT.url.endswith(".pth")


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_file_of_torchvisions_weights_gives_the_same_logits(tmp_path, suffix):
    network = theirs()
    path = tmp_path / f"weights{suffix}"
    (torch.save if suffix == ".pth" else save_file)(network.state_dict(), path)
    ours = build("mobilenet_v2", weights=path).eval()
    images = torch.randn(2, 3, 48, 40)
    with torch.inference_mode():
        torch.testing.assert_close(ours(images), network(images), rtol=1e-4, atol=1e-4)


def test_weights_come_from_torchs_cache_by_name(cache, monkeypatch):
    from torchvision.models import MobileNet_V2_Weights

    network = theirs()
    version = MobileNet_V2_Weights.IMAGENET1K_V1
    torch.save(network.state_dict(), cache / version.url.rpartition("/")[2])
    found = read_weights("mobilenet_v2", "torchvision:IMAGENET1K_V1")
    assert all(torch.equal(found[key], value) for key, value in network.state_dict().items())
    with pytest.raises(ValueError, match=r"not be had \(.*no route to host.*\): put the file at \S+/mobilenet_v2-"):
        read_weights("mobilenet_v2", "torchvision")
    with pytest.raises(ValueError, match="torchvision has no weights 'V9' for mobilenet_v2, but IMAGENET1K_V1, IMAGE"):
        read_weights("mobilenet_v2", "torchvision:V9")
    with pytest.raises(ValueError, match="torchvision has no weights for lenet5; it has some for "):
        read_weights("lenet5", "torchvision")


def test_a_hash_in_the_name_is_compared(tmp_path):
    path = tmp_path / "net.pth"
    torch.save(theirs().state_dict(), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    right, wrong = tmp_path / f"net-{digest[:8]}.pth", tmp_path / "net-0123abcd.pth"
    right.write_bytes(path.read_bytes())
    wrong.write_bytes(path.read_bytes())
    assert read_weights("mobilenet_v2", right)
    with pytest.raises(ValueError, match="is damaged: its SHA-256 does not begin with 0123abcd, as its name says"):
        build("mobilenet_v2", weights=wrong)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            None,
            r"weights must be \"torchvision\", \"torchvision:NAME\" or a file, got '.*' \(No such file or d",
        ),
        (b"", "cannot be read as weights"),
        (b"not weights at all", "cannot be read as weights"),
    ],
)
@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_what_is_no_file_of_weights_is_refused(tmp_path, content, message, suffix):
    path = tmp_path / f"weights{suffix}"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ValueError, match=message):
        build("mobilenet_v2", weights=path)


def test_a_checkpoint_of_our_own_is_read_by_name(tmp_path):
    network = build("resnet20", num_classes=5)
    save_file(network.state_dict(), tmp_path / "weights.safetensors")
    again = build("resnet20", num_classes=5, weights=tmp_path / "weights.safetensors")
    assert all(torch.equal(tensor, again.state_dict()[name]) for name, tensor in network.state_dict().items())


def test_a_checkpoint_of_something_else_is_refused(tmp_path):
    torch.save({"epoch": 3}, tmp_path / "a.pth")
    with pytest.raises(ValueError, match=r"a\.pth must hold a dict of tensors, as state_dict\(\) gives it, got dict"):
        build("mobilenet_v2", weights=tmp_path / "a.pth")
    torch.save(build("lenet5").state_dict(), tmp_path / "b.pth")
    with pytest.raises(ValueError, match=r"state_dict of .* must hold"):
        build("mobilenet_v2", weights=tmp_path / "b.pth")


@pytest.mark.parametrize("name", ["mobilenet_v2", "resnet18"])
def test_another_number_of_classes_makes_a_new_head_on_the_same_features(tmp_path, name):
    network = theirs(name)
    torch.save(network.state_dict(), tmp_path / "net.pth")
    torch.manual_seed(1)
    ours = build(name, weights=tmp_path / "net.pth", num_classes=7)
    torch.manual_seed(1)
    fresh = build(name, num_classes=7)
    assert torch.equal(find_head(ours).weight, find_head(fresh).weight)
    assert find_head(ours).out_features == 7
    new_head(network, 7).load_state_dict(dict(zip(network.state_dict(), ours.state_dict().values(), strict=True)))
    images = torch.randn(2, 3, 48, 40)
    with torch.inference_mode():
        torch.testing.assert_close(ours.eval()(images), network.eval()(images), rtol=1e-4, atol=1e-4)


def test_other_shapes_than_the_heads_are_refused(tmp_path):
    torch.save(theirs().state_dict(), tmp_path / "net.pth")
    with pytest.raises(ValueError, match=r"must have the shape of .*, \(32, 1, 3, 3\), got \(32, 3, 3, 3\)"):
        build("mobilenet_v2", weights=tmp_path / "net.pth", in_channels=1)


# ---- heads and frozen layers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["lenet5", "mnist_cnn", "resnet20", "nin_cifar", "vgg11", "mobilenet_v2", "googlenet"])
def test_the_head_is_the_layer_that_scores_the_classes(name):
    from course_lib.complexity import build_meta

    network = build_meta(name, num_classes=13)
    head = find_head(network)
    assert head.weight.shape[0] == 13
    with torch.device("cpu"):
        assert find_head(new_head(network, 4)).weight.shape[0] == 4


def test_a_network_without_a_head_is_refused():
    with pytest.raises(ValueError, match="ReLU has no linear or convolutional layer to be its head"):
        new_head(nn.ReLU(), 3)


def values(network):
    return {name: tensor.clone() for name, tensor in network.state_dict().items()}


def normed_net():
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Dropout(0.5)),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10),
    )  # fmt: skip


def test_frozen_layers_keep_their_weights_and_their_statistics():
    network = freeze_all_but_head(normed_net())
    before = values(network)
    fit(network, noise(), epochs=1, batch_size=16, lr=0.1)
    changed = {name for name, tensor in values(network).items() if not torch.equal(tensor, before[name])}
    assert changed == {"3.weight", "3.bias"}


def test_frozen_dropout_is_off_in_training_and_comes_back():
    network = normed_net().train()
    freeze(network[0])
    images = torch.randn(8, 1, 8, 8)
    assert torch.equal(network.train()(images), network.train()(images))
    unfreeze(network[0])
    assert not torch.equal(network.train()(images), network.train()(images))
    assert all(parameter.requires_grad for parameter in network.parameters())
    assert all(layer.training for layer in network.train().modules())


def test_a_copy_of_a_frozen_network_is_frozen_and_apart():
    network = freeze_all_but_head(normed_net())
    twin = copy.deepcopy(network)
    unfreeze(network)
    network.train()(torch.randn(4, 1, 8, 8))
    twin.train()(torch.randn(4, 1, 8, 8))
    assert network[0][1].num_batches_tracked == 1
    assert twin[0][1].num_batches_tracked == 0


# ---- two learning rates ----------------------------------------------------------------------------------------------


def test_parts_of_a_model_have_groups_of_their_own():
    network = normed_net()
    groups = parameter_groups(network, 0.01, {"0": 0.1})
    found = [(group.get("lr_scale"), group["weight_decay"], len(group["params"])) for group in groups]
    assert found == [(None, 0.01, 1), (None, 0.0, 1), (0.1, 0.01, 1), (0.1, 0.0, 3)]
    assert sum(len(group["params"]) for group in groups) == len(list(network.parameters()))
    with pytest.raises(ValueError, match="lr_scale must name parts of the model, such as 0, 3, got 'features'"):
        parameter_groups(network, 0.0, {"features": 0.1})


@pytest.mark.parametrize("scale", [0.0, -1.0, float("nan")])
def test_a_multiple_out_of_range_is_refused(scale):
    with pytest.raises(ValueError, match=r"lr_scale must be above 0 and finite, got .* for 'features'"):
        Recipe(lr_scale={"features": scale})


def test_a_step_of_gradient_descent_is_scaled_part_by_part():
    """One step of plain SGD over the whole set: each weight moves by its rate times its gradient."""
    steps = {}
    for scale in (1.0, 0.25):
        network = small_net()
        before = values(network)
        part = next(iter(dict(network.named_children())))
        fit(network, noise(), epochs=1, batch_size=1000, lr=0.1, momentum=0.0, schedule="constant",
            recipe=Recipe(lr_scale={part: scale}))  # fmt: skip
        steps[scale] = {name: tensor - before[name] for name, tensor in network.named_parameters()}
    for name, whole in steps[1.0].items():
        factor = 0.25 if name.startswith(f"{part}.") else 1.0
        torch.testing.assert_close(steps[0.25][name], factor * whole, rtol=1e-4, atol=1e-7)
    assert any(name.startswith(f"{part}.") for name in steps[1.0])


def test_the_module_of_twins_is_not_needed_to_build(monkeypatch):
    monkeypatch.setattr(pretrained, "read_weights", None)
    assert build("lenet5") is not None
