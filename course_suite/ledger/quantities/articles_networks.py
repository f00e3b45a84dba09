"""What the study articles state of the make-up of networks and layers, asked of the built ones."""

from __future__ import annotations

from itertools import pairwise

from course_suite.ledger.quantities import quantity
from course_suite.ledger.quantities.networks import analysis, attribute, macs, network


@quantity
def article_filter_shape(in_channels: int, out_channels: int, kernel_size: int) -> list[int]:
    """Height, width and depth of one filter of a convolution."""
    from torch import nn

    one = nn.Conv2d(in_channels, out_channels, kernel_size, device="meta").weight[0]
    return list(one.permute(1, 2, 0).shape)


@quantity
def article_conv_shape(image: list[int], out_channels: int, kernel_size: int) -> list[int]:
    """Shape of what a convolution makes of one image (C, H, W), batch first."""
    import torch
    from torch import nn

    conv = nn.Conv2d(image[0], out_channels, kernel_size, device="meta")
    return list(conv(torch.empty(1, *image, device="meta")).shape)


@quantity
def article_001_expanding_block(model: str = "mobilenet_v2") -> bool:
    """Whether blocks expand by 1x1, filter depthwise, project by 1x1 to fewer channels, and keep a way around.

    The way around is asked for where a block keeps size and channels, the expansion in all blocks but the first.
    """
    names = {row.name.rpartition(".branch.")[0] for row in analysis(model).rows if ".branch." in row.name}
    rows = {row.name: row for row in analysis(model).rows}
    first = min(names)
    return all(_expands(model, name, f"{name}.add" in rows) for name in names - {first})


def _expands(model: str, block: str, residual: bool) -> bool:
    branch = network(model).get_submodule(f"{block}.branch")
    expand, depthwise, project = branch.expand.conv, branch.depthwise.conv, branch.project.conv
    keeps = depthwise.stride == (1, 1) and expand.in_channels == project.out_channels
    return (
        expand.kernel_size == project.kernel_size == (1, 1)
        and depthwise.groups == depthwise.out_channels == expand.out_channels
        and expand.out_channels > max(expand.in_channels, project.out_channels)
        and residual == keeps
    )


@quantity
def article_001_compound_scaling() -> bool:
    """Whether from B0 to B7 images, blocks and channels never shrink, all three grow, and the cost grows each time."""
    sizes = []
    for number in range(8):
        model = f"efficientnet_b{number}"
        rows = analysis(model).rows
        depthwise = [row for row in rows if row.name.endswith(".depthwise.conv")]
        sizes.append((rows[0].input_shapes[0][-1], len(depthwise), depthwise[-1].output_shape[1], macs(model)))
    steps = list(pairwise(sizes))
    never_shrink = all(one <= other for small, large in steps for one, other in zip(small, large, strict=True))
    all_grow = all(one < other for one, other in zip(sizes[0], sizes[-1], strict=True))
    return never_shrink and all_grow and all(small[-1] < large[-1] for small, large in steps)


@quantity
def article_002_heads(model: str = "googlenet_article_002") -> int:
    """Auxiliary heads that are as the article says: 5x5 pooling at stride 3, 4x4, 128, 2048, 1024, dropout 0.7."""
    rows = {row.name: row for row in analysis(model, training=True).rows}
    channels = {"inception4a": 512, "inception4d": 528}
    count = 0
    for name, head in network(model).aux_heads.items():
        pool, fc1 = rows[f"aux_heads.{name}.pool"], rows[f"aux_heads.{name}.fc1"]
        count += (
            (head.pool.kernel_size, head.pool.stride, head.dropout.p) == (5, 3, 0.7)
            and pool.input_shapes[0][1:] == (channels.get(name), 14, 14)
            and pool.output_shape[2:] == (4, 4)
            and rows[f"aux_heads.{name}.conv.conv"].output_shape[1] == 128
            and (fc1.input_shapes[0][1], fc1.output_shape[1]) == (2048, 1024)
        )
    return count


@quantity
def article_004_zfnet_changes(words: bool = True) -> bool:
    """Whether ZFNet's first kernel and its wide form are as stated; ``words``: also larger, and with fewer filters."""
    models = ("alexnet", "zfnet_512")
    first = [[attribute(model, "features.conv1", name) for name in ("kernel_size", "stride")] for model in models]
    widths = [[attribute(model, f"features.conv{n}", "out_channels") for n in (3, 4, 5)] for model in models]
    if [first, widths] != [[[11, 4], [7, 2]], [[384, 384, 256], [512, 1024, 512]]]:
        return False
    return not words or (first[0][0] < first[1][0] and sum(widths[0]) > sum(widths[1]))


@quantity
def article_004_downsampling(model: str = "resnet50") -> bool:
    """Whether the stem leaves 56x56, and behind it strided convolutions halve the size while the channels double."""
    rows = analysis(model).rows
    stem = [row for row in rows if row.name.startswith("stem.")]
    stages = [f"stages.conv{number}_x" for number in range(2, 6)]
    ends = [[row for row in rows if row.name.startswith(stage)][-1].output_shape[1:] for stage in stages]
    pools = [row for row in rows if row.type == "MaxPool2d" and row not in stem]
    halved = all(small[1:] == (large[1] // 2, large[2] // 2) for large, small in pairwise(ends))
    doubled = all(after[0] == 2 * before[0] for before, after in pairwise(ends))
    return stem[-1].output_shape[2:] == (56, 56) and not pools and halved and doubled


@quantity
def article_002_torchvision_kernel() -> bool:
    """Whether torchvision's GoogLeNet has 3x3 kernels in the third branch of all nine modules."""
    import torchvision

    from course_lib.complexity import on_meta

    with on_meta():
        built = torchvision.models.googlenet(weights=None, init_weights=False)
    kernels = [module.branch3[1].conv.kernel_size for name, module in built.named_children() if "inception" in name]
    return kernels == [(3, 3)] * 9


@quantity
def article_heads_run_in_training_only(model: str = "googlenet_article_003") -> bool:
    """Whether a GoogLeNet gives the logits of both heads in training mode and of none in evaluation mode."""
    import torch

    from course_lib.models import input_shape

    built, images = network(model), torch.empty(2, *input_shape(model), device="meta")
    counts = [len(built.train(mode)(images).aux) for mode in (True, False)]
    return counts == [2, 0]
