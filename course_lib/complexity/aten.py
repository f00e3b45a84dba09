"""Counting inside a function that no rule names: its inner operations are counted one by one."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch._ops import HigherOrderOperator
from torch.utils._python_dispatch import TorchDispatchMode

from course_lib.complexity.counts import ATEN_RULES, QUANTIZED_RULES, Rules, attention_rule, conv_rule
from course_lib.complexity.kept import backward_macs, keep, tensors_among
from course_lib.complexity.memory import Memory
from course_lib.complexity.stand_ins import TRAINED, Arguments
from course_lib.complexity.traces import CUTS, mark, trace_of

# Operations that sum no products, without the underscores around their names and what makes a copy or a function of
# them; those that torch itself marks as pointwise or as views are not repeated here.
FREE = frozenset(
    """
    _adaptive_avg_pool2d _adaptive_avg_pool3d adaptive_max_pool2d adaptive_max_pool3d all amax amin aminmax any
    arange argmax argmin argsort as_strided_ avg_pool1d avg_pool2d avg_pool3d bernoulli bernoulli_
    binary_cross_entropy bincount bucketize cat channel_shuffle clone col2im complex constant_pad_nd copy copy_
    count_nonzero _ctc_loss cummax cummin cumprod cumsum dequantize detach_ diag_embed embedding _embedding_bag
    _embedding_bag_forward_only empty empty_like empty_permuted empty_strided fill fill_ flip fractional_max_pool2d
    fractional_max_pool3d full full_like _fused_rms_norm gather glu grid_sampler_2d grid_sampler_3d histc huber_loss
    im2col index index_add index_add_ index_copy index_copy_ index_fill index_put index_put_ _index_put_impl_
    index_select isin kthvalue lift lift_fresh lift_fresh_copy linalg_vector_norm linspace local_scalar_dense
    log_sigmoid_forward _log_softmax logcumsumexp logspace logsumexp masked_fill masked_fill_ masked_scatter
    masked_select max max_pool2d_with_indices max_pool3d_with_indices max_unpool2d max_unpool3d mean median min mode
    mse_loss msort multinomial nanmedian nansum native_batch_norm _native_batch_norm_legit
    _native_batch_norm_legit_no_training native_channel_shuffle native_dropout native_group_norm native_layer_norm
    new_empty new_empty_strided new_full new_ones new_zeros nll_loss2d_forward nll_loss_forward nonzero
    nonzero_static norm normal normal_ one_hot ones ones_like pad pixel_shuffle pixel_unshuffle poisson polar prelu
    _prelu_kernel prod put quantize_per_tensor rand rand_like randint randn randn_like randperm range
    reflection_pad1d reflection_pad2d reflection_pad3d renorm repeat repeat_interleave replication_pad1d
    replication_pad2d replication_pad3d resize_ roll rot90 rrelu_with_noise rrelu_with_noise_functional
    _safe_softmax scalar_tensor scatter scatter_ scatter_add scatter_add_ scatter_reduce searchsorted select_scatter
    set_data slice_scatter smooth_l1_loss _softmax sort split_with_sizes_copy squeeze_ stack std std_mean sum t_
    take tile _to_copy topk trace transpose_ tril tril_indices triu triu_indices unfold_copy uniform_ _unique2
    add sub mul div rsub eq ne ge gt le lt bitwise_and bitwise_or bitwise_xor bitwise_left_shift bitwise_right_shift
    floor_divide remainder isinf isnan celu elu gelu hardshrink hardsigmoid hardswish hardtanh leaky_relu mish relu
    softplus softshrink threshold softmax log_softmax xlogy heaviside gcd lcm copysign masked_softmax masked_scale
    add_relu exponential geometric log_normal cauchy random randint_like binomial standard_gamma sample_dirichlet
    fused_dropout fused_sdp_choice affine_grid_generator pack_padded_sequence is_all_true is_any_true allclose
    bartlett_window blackman_window hamming_window hann_window kaiser_window eye block_diag addr renorm embedding_renorm
    batch_norm_stats batch_norm_elemt batch_norm_gather_stats batch_norm_gather_stats_with_counts batch_norm_with_update
    batch_norm_no_update batch_norm_update_stats native_norm linalg__powsum dist pdist_forward logcumsumexp index_reduce
    put unique unique_dim unique_dim_consecutive histogram histogramdd_bin_edges histogramdd_from_bin_cts
    histogramdd_from_bin_tensors to_padded_tensor padded_dense_to_jagged_forward resize resize_as set lu_unpack
    empty_affine_quantized empty_per_channel_affine_quantized make_per_tensor_quantized_tensor int_repr empty_quantized
    make_per_channel_quantized_tensor quantize_per_channel quantize_per_tensor_dynamic quantized_max_pool1d
    quantized_max_pool2d quantized_max_pool3d quantized_batch_norm multi_margin_loss multilabel_margin_loss_forward
    soft_margin_loss binary_cross_entropy_with_logits unsafe_index unsafe_index_put unsafe_masked_index
    unsafe_masked_index_put_accumulate diagonal_scatter as_strided_scatter pin_memory chunk_cat upsample_lanczos2d_aa
    transform_bias_rescale_qkv reshape lazy_clone conj_physical fill_mem_eff_dropout_mask thnn_fused_lstm_cell
    thnn_fused_gru_cell nnz values indices to_dense is_pinned is_same_size efficientzerotensor values dimI dimV
    nested_tensor_from_mask nested_from_padded nested_tensor_size nested_tensor_strides
    nested_tensor_from_mask_left_aligned
    unique_consecutive unsafe_chunk unsafe_split unsafe_split_with_sizes _unsafe_view unsqueeze_ upsample_bicubic2d
    _upsample_bicubic2d_aa upsample_bilinear2d _upsample_bilinear2d_aa upsample_linear1d upsample_nearest1d
    upsample_nearest2d upsample_nearest3d _upsample_nearest_exact1d _upsample_nearest_exact2d
    _upsample_nearest_exact3d upsample_trilinear3d var var_mean _weight_norm_interface where zero_ zeros zeros_like
    """.split()
)


# Of quantized operations, those that sum products; and what torchvision's own do not.
QUANTIZED_PRODUCTS = ("linear", "conv", "matmul", "quantized_", "int4mm")
TORCHVISION_FREE = frozenset("nms qnms roi_align qroi_align roi_pool ps_roi_align ps_roi_pool box_iou_rotated".split())


FREE_FAMILIES = tuple(
    """sym_ _assert _local_scalar _functional_ fake_quantize _fake_quantize _fused_moving_avg_obs fft_fftfreq
    fft_rfftfreq _amp_ _validate_""".split()
)


def is_free(operation: Any) -> bool:
    """Whether an operation sums no products: views, elementwise functions, and those of ``FREE``."""
    if operation.is_view or torch.Tag.pointwise in operation.tags:
        return True
    space, name = operation.namespace, operation.overloadpacket.__name__
    if space == "quantized":
        return not name.startswith(QUANTIZED_PRODUCTS) or name.endswith(("prepack", "unpack", "unpack_sizes"))
    return (
        name in TORCHVISION_FREE if space == "torchvision" else space in ("aten", "prims", "prim") and _is_known(name)
    )


def _is_known(name: str) -> bool:
    plain = name.strip("_").removesuffix("_copy").removesuffix("_functional")
    return name in FREE or plain in FREE or name.startswith(FREE_FAMILIES)


RULES = {"aten": ATEN_RULES, "quantized": QUANTIZED_RULES, "torchvision": {"deform_conv2d": conv_rule}}


class AtenCounter(TorchDispatchMode):
    """Counts torch's inner operations while it is active, and books the memory that they take and keep.

    Attributes:
        macs: multiply-adds so far.
        backward_macs: those of the gradients.
        not_counted: operations that no rule covers.
    """

    supports_higher_order_operators = True

    def __init__(self, arguments: Arguments, memory: Memory, rules: Rules, *, grad: bool) -> None:
        super().__init__()
        self.macs = self.backward_macs = 0
        self.not_counted: list[str] = []
        self._arguments, self._memory, self._rules, self._grad = arguments, memory, rules, grad

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Run one inner operation, on shapes alone where the pass is one of shapes, and count it."""
        args, kwargs = self._arguments.inner_call(args, kwargs or {})
        output = func(*args, **kwargs)
        if isinstance(func, HigherOrderOperator):
            return self._higher(func, args, output)
        name = func.overloadpacket.__name__
        outputs = [value for value in _values(output) if isinstance(value, Tensor)]
        own = self._rules.get(f"{func.namespace}.{name}")
        rule = own or RULES.get(func.namespace, {}).get(name)
        macs = 0
        if rule is not None:
            macs = int(rule(args, kwargs, output if own else outputs[0] if outputs else output))
            self.macs += macs
        elif outputs and not is_free(func):
            self.not_counted.append(f"{func.namespace}.{name}")
        self._book(func, name.strip("_"), args, kwargs, outputs, macs)
        return output

    def attend(self, args: tuple, kwargs: dict[str, Any], output: Tensor) -> None:
        """Book attention that was not run."""
        name, needs_grad = "scaled_dot_product_attention", self._arguments.needs_grad
        macs = attention_rule(args, kwargs, output)
        self.macs += macs
        if self._grad and any(needs_grad(value) for value in args):
            mark((output,), TRAINED)
            keep(self._memory, name, args, kwargs, output, needs_grad, False)
            self.backward_macs += backward_macs(name, macs, args, kwargs, needs_grad)

    def _higher(self, func: HigherOrderOperator, args: tuple, output: Any) -> Any:
        """An operator that takes functions: of flexible attention all pairs count, whatever its mask leaves out."""
        if func.__name__ == "flex_attention":
            macs = attention_rule(args[:2], {}, output[0])
            self.macs, self.backward_macs = self.macs + macs, self.backward_macs + macs * 5 // 2
        else:
            self.not_counted.append(f"higher_order.{func.__name__}")
        return output

    def _book(self, func, name: str, args: tuple, kwargs: dict[str, Any], outputs: list[Tensor], macs: int) -> None:
        """Memory that is taken, memory that is kept, and the products of the gradients."""
        sources = tensors_among(args, kwargs)
        for tensor in outputs:
            self._memory.watch(tensor, sources)
        needs_grad = self._arguments.needs_grad
        if not outputs or not self._grad or not any(needs_grad(source) for source in sources):
            return
        if name in CUTS or not (outputs[0].is_floating_point() or outputs[0].is_complex()):
            return
        for tensor in outputs:
            if trace_of(tensor) is None:
                mark((tensor,), TRAINED)
        if not func.is_view:
            in_place = func.overloadpacket.__name__.endswith("_")
            keep(self._memory, name, args, kwargs, outputs[0], needs_grad, in_place)
        if macs:
            self.backward_macs += backward_macs(name, macs, args, kwargs, needs_grad)


def _values(output: Any) -> tuple | list:
    return output if isinstance(output, tuple | list) else (output,)
