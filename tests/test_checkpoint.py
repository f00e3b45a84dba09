"""Checkpoints: a run that stops at any moment goes on to the same numbers, bit for bit."""

import errno
import json
import shutil

import pytest
import safetensors.torch
import torch
from killed import (
    RUN,
    STEPS,
    run_apart,
    train_and_die_at_file_operation,
    train_and_die_at_step,
    train_and_die_in_half_a_file,
)
from torch import nn
from training_cases import noise, numbers, same_weights, small_net

from course_lib.training import (
    Augment,
    Recipe,
    TrainingError,
    checkpoint,
    checkpoint_files,
    evaluate,
    fit,
    load_checkpoint,
    open_run,
)
from course_lib.training.checkpoint import describe, fingerprint

FILES = ("settings.json", "state.pt", "weights.safetensors")


@pytest.fixture(scope="module")
def uninterrupted():
    """A run without checkpoints, and its model."""
    model = small_net(dropout=0.5)
    return fit(model, noise(), **RUN), model


def names_in(folder):
    return sorted(path.name for path in folder.iterdir() if path.name != ".lock") if folder.exists() else []


def check_resumed(folder, uninterrupted):
    """Resume, and compare the history, the weights and what is left on disk with a run that was not stopped."""
    model = small_net(dropout=0.5)
    history = fit(model, noise(), checkpoint=folder, resume=True, **RUN)
    assert numbers(history) == numbers(uninterrupted[0])
    assert same_weights(model, uninterrupted[1])
    assert names_in(folder) == ["epoch-0004"]
    assert tuple(names_in(folder / "epoch-0004")) == FILES


# ---- killed ----------------------------------------------------------------------------------------------------------


@pytest.mark.posix
@pytest.mark.parametrize(
    ("step", "left"),
    [(2, []), (STEPS, ["epoch-0001"]), (2 * STEPS + 3, ["epoch-0002"]), (4 * STEPS - 1, ["epoch-0003"])],
)
def test_a_run_killed_in_an_epoch_resumes_to_the_same_bits(tmp_path, uninterrupted, step, left):
    assert run_apart(train_and_die_at_step, tmp_path / "run", step)
    assert names_in(tmp_path / "run") == left
    check_resumed(tmp_path / "run", uninterrupted)


@pytest.mark.posix
def test_a_run_may_be_killed_again_and_again(tmp_path, uninterrupted):
    for _ in range(3):
        assert run_apart(train_and_die_at_step, tmp_path, STEPS + 1)  # one epoch further each time
    assert names_in(tmp_path) == ["epoch-0003"]
    check_resumed(tmp_path, uninterrupted)


@pytest.mark.posix
def test_a_run_killed_at_any_file_operation_of_a_checkpoint_resumes_to_the_same_bits(tmp_path, uninterrupted):
    left = []
    for number in range(40):
        folder = tmp_path / str(number)
        if not run_apart(train_and_die_at_file_operation, folder, 2, number):
            break
        visible = [name for name in names_in(folder) if not name.startswith(".")]
        assert all(tuple(names_in(folder / name)) == FILES for name in visible)
        left.append(visible[-1])
        assert load_checkpoint(small_net(dropout=0.5), folder).epochs == int(left[-1][-1])
        check_resumed(folder, uninterrupted)
    assert left == sorted(left)  # the first checkpoint up to the rename, the second from then on
    assert min(left.count(name) for name in ("epoch-0001", "epoch-0002")) >= 3
    assert names_in(folder) == ["epoch-0004"]


@pytest.mark.posix
def test_a_run_killed_in_the_middle_of_a_file_resumes_to_the_same_bits(tmp_path, uninterrupted):
    assert run_apart(train_and_die_in_half_a_file, tmp_path)
    assert names_in(tmp_path) == [".writing-epoch-0002", "epoch-0001"]
    check_resumed(tmp_path, uninterrupted)


# ---- stopped and resumed ---------------------------------------------------------------------------------------------


class StopError(Exception):
    """Stands in for whatever ends a run."""


def stopped(model, step):
    """The model, which raises at that step, counted from 0."""
    seen = []

    def count(module, *_):
        if module.training and len(seen) == step:
            raise StopError
        seen.extend([0] * module.training)

    model.register_forward_hook(count)
    return model


DEVICES = ["cpu"] + ["cuda"] * torch.cuda.is_available()


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(
    "settings",
    [
        {"optimizer": "adam", "lr": 0.003, "schedule": "cosine"},
        {"optimizer": "adamw", "lr": 0.003, "weight_decay": 0.1, "label_smoothing": 0.1, "schedule": "step"},
        {"optimizer": lambda groups: torch.optim.RMSprop(groups, momentum=0.9), "lr": 0.001},
        {"channels_last": True, "precision": "bf16"},
        {"batch_size": 89, "augment": Augment(flip=True)},
    ],
    ids=["adam", "adamw", "own optimiser", "bf16 and channels_last", "one image left out"],
)
def test_every_setting_resumes_to_the_same_bits(tmp_path, settings, device):
    settings = {"epochs": 3, "batch_size": 45, "seed": 1, "device": device, **settings}
    whole, resumed = small_net(dropout=0.5), small_net(dropout=0.5)
    expected = fit(whole, noise(), **settings)
    steps = len(expected.step_loss) // 3
    with pytest.raises(StopError):
        fit(stopped(small_net(dropout=0.5), 2 * steps), noise(), checkpoint=tmp_path, **settings)
    assert names_in(tmp_path) == ["epoch-0002"]
    found = fit(resumed, noise(), checkpoint=tmp_path, resume=True, **settings)
    assert numbers(found) == numbers(expected)
    assert same_weights(resumed, whole)


def test_a_finished_run_is_not_trained_again(tmp_path):
    model = small_net()
    history = fit(model, noise(), epochs=2, checkpoint=str(tmp_path))
    again = small_net()
    assert fit(stopped(again, 0), noise(), epochs=2, checkpoint=str(tmp_path), resume=True) == history
    assert same_weights(again, model)
    assert not again.training


def test_resume_begins_where_there_is_no_checkpoint(tmp_path):
    expected = fit(small_net(), noise(), epochs=1)
    assert numbers(fit(small_net(), noise(), epochs=1, checkpoint=tmp_path / "new", resume=True)) == numbers(expected)


def test_checkpoints_change_no_number(uninterrupted, tmp_path):
    model = small_net(dropout=0.5)
    assert numbers(fit(model, noise(), checkpoint=tmp_path, **RUN)) == numbers(uninterrupted[0])
    assert same_weights(model, uninterrupted[1])


def test_more_than_9999_epochs_are_in_order(tmp_path):
    for name in ("epoch-0009", "epoch-9999", "epoch-10000"):
        (tmp_path / name).mkdir()
    assert checkpoint.Checkpoints(tmp_path, {}).last.name == "epoch-10000"


# ---- what a checkpoint holds -----------------------------------------------------------------------------------------


def test_weights_are_plain_safetensors_and_settings_plain_json(tmp_path):
    model = small_net()
    fit(model, noise(), epochs=1, lr=0.02, checkpoint=tmp_path, channels_last=True)
    weights = safetensors.torch.load_file(tmp_path / "epoch-0001" / "weights.safetensors")
    assert weights.keys() == model.state_dict().keys()
    assert all(torch.equal(weights[name], tensor) for name, tensor in model.state_dict().items())
    settings = json.loads((tmp_path / "epoch-0001" / "settings.json").read_text())
    assert (settings["lr"], settings["epochs"], settings["data"]) == (0.02, 1, noise().sha256)
    assert settings["schedule"] == "OneCycle(warmup=0.3, start=0.04, end=4e-06)"


def test_load_checkpoint_gives_the_weights_and_the_history(tmp_path):
    model, loaded = small_net(), small_net().train()
    history = fit(model, noise(), epochs=2, checkpoint=tmp_path)
    assert load_checkpoint(loaded, tmp_path) == history
    assert same_weights(loaded, model)
    assert not loaded.training
    assert evaluate(loaded, noise().test).accuracy == history.test_accuracy[-1]


def test_load_checkpoint_refuses_what_does_not_fit(tmp_path):
    with pytest.raises(ValueError, match=rf"folder must hold a checkpoint, epoch-0001 or later; {tmp_path} has none"):
        load_checkpoint(small_net(), tmp_path)
    fit(small_net(), noise(), epochs=1, checkpoint=tmp_path)
    with pytest.raises(ValueError, match=rf"model must be the one that {tmp_path}/epoch-0001 is of; its layers or"):
        load_checkpoint(nn.Linear(2, 2), tmp_path)


def test_a_fingerprint_is_of_the_layers_not_of_the_values():
    def net(stride=1, dropout=0.1):
        return nn.Sequential(nn.Conv2d(1, 2, 3, stride=stride), nn.Dropout(dropout))

    assert fingerprint(net()) == fingerprint(net())
    assert len({fingerprint(model) for model in (net(), net(stride=2), net(dropout=0.2), net().double())}) == 4


def test_settings_are_described_without_addresses():
    assert describe(Augment(crop=2)) == "Augment(crop=2, flip=False)"
    assert describe(fit) == "<function fit>"
    assert [describe(value) for value in (1, 0.5, "sgd", None, True)] == [1, 0.5, "sgd", None, True]


# ---- refused, damaged, diverged --------------------------------------------------------------------------------------


@pytest.fixture
def begun(tmp_path):
    """The folder of a run of three epochs that was stopped after two."""
    with pytest.raises(StopError):
        fit(stopped(small_net(), 4), noise(), epochs=3, checkpoint=tmp_path)
    return tmp_path


def test_a_folder_with_a_run_is_not_overwritten(begun):
    with pytest.raises(ValueError, match=rf"checkpoint {begun} holds epoch-0002 of a run: pass resume=True to go on"):
        fit(small_net(), noise(), epochs=3, checkpoint=begun)
    assert names_in(begun) == ["epoch-0002"]


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 1}, "epochs is 1, was 3"),
        ({"lr": 0.1, "seed": 5}, r"lr is 0\.1, was 0\.05; seed is 5, was 0"),
        ({"optimizer": "adam"}, "optimizer is 'adam', was 'sgd'"),
        ({"schedule": "cosine"}, r"schedule is 'Cosine\(\)', was 'OneCycle\(.*\)'"),
        ({"augment": Augment(flip=True)}, r"augment is 'Augment\(crop=0, flip=True\)', was None"),
        ({"data": noise(seed=1)}, "the data differ"),
        (
            {"model": nn.Sequential(nn.Flatten(), nn.Linear(64, 10))},
            r"the model has other layers or shapes; trained is",
        ),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_a_checkpoint_of_another_run_is_refused(begun, settings, message):
    arguments = {"model": small_net(), "data": noise(), "epochs": 3, "checkpoint": begun, "resume": True, **settings}
    before = {name: tensor.clone() for name, tensor in arguments["model"].state_dict().items()}
    with pytest.raises(
        ValueError, match=rf"^checkpoint {begun} is of another run: {message}.*\. Go on with what it was,"
    ):
        fit(**arguments)
    assert all(torch.equal(tensor, before[name]) for name, tensor in arguments["model"].state_dict().items())
    assert names_in(begun) == ["epoch-0002"]


def test_a_schedule_is_the_same_by_its_name_and_as_an_object(begun):
    from course_lib.training import OneCycle

    assert fit(small_net(), noise(), epochs=3, checkpoint=begun, resume=True, schedule=OneCycle()).epochs == 3


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("keep", [0, 0.5])
def test_a_damaged_checkpoint_is_named_with_the_remedy(begun, name, keep):
    path = begun / "epoch-0002" / name
    path.write_bytes(path.read_bytes()[: int(keep * path.stat().st_size)])
    message = rf"^the checkpoint {begun}/epoch-0002 cannot be read \(.+\): delete {begun} and start again$"
    with pytest.raises(TrainingError, match=message):
        fit(small_net(), noise(), epochs=3, checkpoint=begun, resume=True)
    path.unlink()
    with pytest.raises(TrainingError, match=message):
        load_checkpoint(small_net(), begun)


@pytest.mark.parametrize("name", FILES)
def test_one_changed_byte_is_noticed(begun, name):
    path = begun / "epoch-0002" / name
    content = bytearray(path.read_bytes())
    place = len(content) // 2 if name != "settings.json" else content.index(b'"lr": 0.05') + 9
    content[place] ^= 1
    path.write_bytes(content)
    with pytest.raises(TrainingError, match=rf"epoch-0002 cannot be read \({name} is not as it was written\): delete"):
        fit(small_net(), noise(), epochs=3, checkpoint=begun, resume=True)


@pytest.mark.parametrize("content", ["[]", "{}", '{"sha256": {}}', "null", "not json"])
def test_settings_of_another_form_are_one_line(begun, content):
    (begun / "epoch-0002" / "settings.json").write_text(content)
    with pytest.raises(TrainingError, match=rf"^the checkpoint {begun}/epoch-0002 cannot be read \(.*\): delete"):
        fit(small_net(), noise(), epochs=3, checkpoint=begun, resume=True)


@pytest.mark.parametrize("damage", ["truncated", "empty folder"])
def test_an_older_whole_checkpoint_is_taken_and_the_damaged_one_named(begun, damage):
    expected = fit(small_net(), noise(), epochs=3)
    shutil.copytree(begun / "epoch-0002", begun / "epoch-0003")
    for path in (begun / "epoch-0003").iterdir():
        path.unlink() if damage == "empty folder" else path.write_bytes(path.read_bytes()[:40])
    with pytest.warns(
        UserWarning, match=rf"the checkpoint {begun}/epoch-0003 cannot be .*: epoch-0002 is taken instead"
    ):
        history = fit(small_net(), noise(), epochs=3, checkpoint=begun, resume=True)
    assert numbers(history) == numbers(expected)
    assert names_in(begun) == ["epoch-0003"]


def test_a_run_becomes_longer(tmp_path):
    settings = {"schedule": "constant", "checkpoint": tmp_path, "resume": True}
    fit(small_net(), noise(), epochs=2, **settings)
    model, whole = small_net(), small_net()
    history = fit(model, noise(), epochs=5, **settings)
    assert numbers(history) == numbers(fit(whole, noise(), epochs=5, schedule="constant"))
    assert same_weights(model, whole)
    with pytest.raises(ValueError, match="epochs is 3, was 5"):
        fit(small_net(), noise(), epochs=3, **settings)


def test_two_runs_do_not_share_a_folder(tmp_path):
    def train_here_too(history):
        with pytest.raises(TrainingError, match=rf"^another training is running in {tmp_path}: wait for it, or name"):
            fit(small_net(), noise(), epochs=1, checkpoint=tmp_path, resume=True)
        met.append(history.epochs)

    met = []
    fit(small_net(), noise(), epochs=1, checkpoint=tmp_path, after_epoch=train_here_too)
    assert met == [1]
    fit(small_net(), noise(), epochs=1, checkpoint=tmp_path, resume=True)  # the folder is free again


def test_another_number_of_threads_is_refused(begun):
    threads = torch.get_num_threads()
    torch.set_num_threads(threads + 1)
    try:
        with pytest.raises(ValueError, match=f"threads is {threads + 1}, was {threads}"):
            fit(small_net(), noise(), epochs=3, checkpoint=begun, resume=True)
    finally:
        torch.set_num_threads(threads)


def test_a_checkpoint_says_what_is_needed_to_use_the_network(tmp_path):
    fit(small_net(), noise(), epochs=1, checkpoint=tmp_path / "seed-0", about={"network": "small"})
    for folder in (tmp_path, tmp_path / "seed-0", tmp_path / "seed-0" / "epoch-0001"):
        last, contents = open_run(folder)
        assert last == tmp_path / "seed-0" / "epoch-0001"
        about = contents.settings["about"]
        assert (about["network"], about["classes"], about["image_shape"]) == ("small", list("0123456789"), [1, 8, 8])
        assert about["stats"]["mean"] == list(noise().stats.mean)
    fit(small_net(), noise(), epochs=1, checkpoint=tmp_path / "seed-1")
    with pytest.raises(ValueError, match=rf"folder must be of one run; {tmp_path} holds seed-0, seed-1"):
        open_run(tmp_path)


KEPT = {
    "average": Recipe(ema=0.9),
    "best epoch": Recipe(patience=9),
    "both": Recipe(ema=0.5, patience=9, clip_norm=0.1, parts=2),
    "mixed": Recipe(mix="mixup"),
}


@pytest.mark.parametrize("recipe", KEPT.values(), ids=KEPT)
def test_what_a_recipe_keeps_resumes_to_the_same_bits(tmp_path, recipe):
    data, settings = noise().hold_out(0.2), {"epochs": 4, "batch_size": 24, "recipe": recipe, "lr": 0.3}
    whole, resumed, loaded = small_net(), small_net(), small_net()
    expected = fit(whole, data, **settings)
    with pytest.raises(StopError):
        fit(stopped(small_net(), 7), data, checkpoint=tmp_path, **settings)
    found = fit(resumed, data, checkpoint=tmp_path, resume=True, **settings)
    assert numbers(found) == numbers(expected)
    assert same_weights(resumed, whole)
    load_checkpoint(loaded, tmp_path)
    assert same_weights(loaded, whole)


def test_a_full_disk_stops_the_run_and_keeps_the_last_good_checkpoint(begun, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(checkpoint_files, "save_file", full)
        message = rf"the checkpoint of epoch 3 cannot be written to {begun} \(.*No space left on device\): make room or"
        with pytest.raises(TrainingError, match=rf"{message}.*; the last good checkpoint is {begun}/epoch-0002"):
            fit(small_net(), noise(), epochs=3, checkpoint=begun, resume=True)
    expected = fit(small_net(), noise(), epochs=3)
    assert numbers(fit(small_net(), noise(), epochs=3, checkpoint=begun, resume=True)) == numbers(expected)


def test_a_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    message = rf"^{tmp_path}/file/run cannot be written to \(Not a directory\): name another folder$"
    with pytest.raises(TrainingError, match=message):
        fit(small_net(), noise(), epochs=1, checkpoint=tmp_path / "file" / "run")


def test_divergence_keeps_the_last_good_checkpoint_and_names_it(tmp_path):
    def explode(step, total):
        return 1e35 if step == total - 1 else 0.01

    message = rf"the test loss was nan after epoch 3; .*; the last good checkpoint is {tmp_path}/epoch-0002$"
    with pytest.raises(TrainingError, match=message):
        fit(small_net(), noise(), epochs=3, lr=1.0, schedule=explode, checkpoint=tmp_path)
    model = small_net()
    history = load_checkpoint(model, tmp_path)
    assert history.epochs == 2
    assert all(tensor.isfinite().all() for tensor in model.state_dict().values())
    with pytest.raises(TrainingError, match=r"try a lower lr.*; there is no checkpoint yet$"):
        fit(small_net(), noise(), epochs=1, lr=1e30, checkpoint=tmp_path / "other")
