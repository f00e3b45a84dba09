"""Output sizes of convolutions and pooling, and the input sizes and the padding that lead to them."""

from __future__ import annotations

from course_lib.arithmetic._checks import IntOrPair, effective_size, int_or_pair, per_axis, window


def conv_output_size(
    input_size: IntOrPair,
    kernel_size: IntOrPair,
    stride: IntOrPair = 1,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
) -> IntOrPair:
    """Size in pixels of what a convolution makes of ``input_size`` pixels.

    ``(N, C_in, H, W) -> (N, C_out, H_out, W_out)``: H, W or both in, H_out, W_out or both out. Padding is per side.
    With the effective kernel ``e = dilation * (kernel_size - 1) + 1``, the size is
    ``(input_size + 2 * padding - e) // stride + 1``.

    Source: Dumoulin and Visin 2016, arXiv:1603.07285, section 5.1, Relationship 15.

    Raises:
        ValueError: an argument is no integer (or pair) or is out of range, or the kernel exceeds the padded input.
    """
    size = int_or_pair("input_size", input_size, 1)
    return per_axis(_conv_size, size, *window(kernel_size, stride, padding, dilation))


def pool_output_size(
    input_size: IntOrPair,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
    ceil_mode: bool = False,
) -> IntOrPair:
    """Size in pixels of what max pooling, or average pooling at dilation 1, makes of ``input_size`` pixels.

    ``(N, C, H, W) -> (N, C, H_out, W_out)``. Padding is per side; ``stride=None`` means ``kernel_size``. The size is
    a convolution's; ``ceil_mode`` rounds up where that rounds down, so that a last window may hang over the right
    edge, but only a window that starts inside the input or its left padding.

    Source: Dumoulin and Visin 2016, arXiv:1603.07285, section 3, Relationship 7.
    Differs from the paper: padding, dilation and ``ceil_mode``, as in torch.

    Raises:
        ValueError: an argument is no integer (or pair) or is out of range, no window fits, or the padding exceeds
            half of ``kernel_size``: of the kernel itself, for torch does not let dilation widen that limit.
    """
    if not isinstance(ceil_mode, bool):
        raise ValueError(f"ceil_mode must be True or False, got ceil_mode={ceil_mode!r}")
    size = int_or_pair("input_size", input_size, 1)
    checked = window(kernel_size, kernel_size if stride is None else stride, padding, dilation)
    return per_axis(_pool_size, size, *checked, ceil_mode)


def conv_transpose_output_size(
    input_size: IntOrPair,
    kernel_size: IntOrPair,
    stride: IntOrPair = 1,
    padding: IntOrPair = 0,
    output_padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
) -> IntOrPair:
    """Size in pixels of what a transposed convolution makes of ``input_size`` pixels.

    ``(N, C_in, H, W) -> (N, C_out, H_out, W_out)``. Padding is per side and is cut from the output; output padding is
    added at the bottom and right only. With the effective kernel ``e = dilation * (kernel_size - 1) + 1``, the size
    is ``(input_size - 1) * stride - 2 * padding + e + output_padding``.

    Source: Dumoulin and Visin 2016, arXiv:1603.07285, section 4.6, Relationship 14.
    Differs from the paper: dilation, as in torch.

    Raises:
        ValueError: an argument is no integer (or pair) or is out of range, ``output_padding`` is smaller than neither
            ``stride`` nor ``dilation``, or nothing is left of the output. torch's oneDNN kernel lets an empty output
            and dilation 0 pass; its plain CPU kernel refuses them, and so does this.
    """
    size = int_or_pair("input_size", input_size, 1)
    extra = int_or_pair("output_padding", output_padding, 0)
    return per_axis(_conv_transpose_size, size, *window(kernel_size, stride, padding, dilation), extra)


def input_sizes(
    output_size: IntOrPair,
    kernel_size: IntOrPair,
    stride: IntOrPair = 1,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
) -> range | tuple[range, range]:
    """All input sizes in pixels of which a convolution makes ``output_size`` pixels: ``stride`` of them.

    Padding is per side. The range is shorter, or empty, where sizes below 1 drop out. With a pair among the
    arguments there are two ranges, of heights and of widths; any height goes with any width.

    Source: Dumoulin and Visin 2016, arXiv:1603.07285, section 2.4, below Relationship 6.

    Raises:
        ValueError: an argument is no integer (or pair) or is out of range.
    """
    size = int_or_pair("output_size", output_size, 1)
    return per_axis(_input_range, size, *window(kernel_size, stride, padding, dilation))


def same_padding(kernel_size: IntOrPair, dilation: IntOrPair = 1) -> IntOrPair:
    """Padding per side, in pixels, with which a convolution of stride 1 keeps the size.

    Source: Dumoulin and Visin 2016, arXiv:1603.07285, section 2.2.1, "half (same) padding".

    Raises:
        ValueError: an argument is no integer (or pair) or is out of range, or the effective kernel size is even:
            then the two sides would need different padding.
    """
    kernel, _, _, spread = window(kernel_size, 1, 0, dilation)
    return per_axis(_same_padding, kernel, spread)


def _conv_size(input_size: int, kernel_size: int, stride: int, padding: int, dilation: int) -> int:
    effective, padded = effective_size(kernel_size, dilation), input_size + 2 * padding
    if effective > padded:
        raise ValueError(
            f"kernel does not fit: effective size {effective} > padded input {padded} "
            f"(kernel_size={kernel_size}, dilation={dilation}, padding={padding})"
        )
    return (padded - effective) // stride + 1


def _pool_size(input_size: int, kernel_size: int, stride: int, padding: int, dilation: int, ceil_mode: bool) -> int:
    if padding > kernel_size // 2:
        raise ValueError(
            f"padding must be at most half of kernel_size, got padding={padding} (kernel_size={kernel_size})"
        )
    if not ceil_mode:
        return _conv_size(input_size, kernel_size, stride, padding, dilation)
    effective, reach = effective_size(kernel_size, dilation), input_size + 2 * padding + stride - 1
    if effective > reach:
        raise ValueError(
            f"kernel does not fit: effective size {effective} > padded input + stride - 1 = {reach} "
            f"(kernel_size={kernel_size}, dilation={dilation}, padding={padding}, stride={stride}, ceil_mode=True)"
        )
    last = (reach - effective) // stride
    starts_inside = last * stride < input_size + padding
    return last + 1 if starts_inside else last


def _conv_transpose_size(
    input_size: int, kernel_size: int, stride: int, padding: int, dilation: int, output_padding: int
) -> int:
    if output_padding >= max(stride, dilation):
        raise ValueError(
            f"output_padding must be smaller than stride or dilation, got output_padding={output_padding} "
            f"(stride={stride}, dilation={dilation})"
        )
    full = (input_size - 1) * stride + effective_size(kernel_size, dilation) + output_padding
    if full <= 2 * padding:
        raise ValueError(
            f"padding leaves no output: 2 * padding must be smaller than the full size {full}, got padding={padding} "
            f"(input_size={input_size}, kernel_size={kernel_size}, stride={stride}, "
            f"output_padding={output_padding}, dilation={dilation})"
        )
    return full - 2 * padding


def _input_range(output_size: int, kernel_size: int, stride: int, padding: int, dilation: int) -> range:
    smallest = (output_size - 1) * stride + effective_size(kernel_size, dilation) - 2 * padding
    return range(max(1, smallest), max(1, smallest + stride))


def _same_padding(kernel_size: int, dilation: int) -> int:
    effective = effective_size(kernel_size, dilation)
    if effective % 2 == 0:
        raise ValueError(
            f"effective kernel size must be odd for the same padding on both sides, got {effective} "
            f"(kernel_size={kernel_size}, dilation={dilation})"
        )
    return effective // 2
