"""Counting inside a function that no rule names: its inner operations are counted one by one."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

from course_lib.complexity.counts import ATEN_RULES, QUANTIZED_RULES, Rules
from course_lib.complexity.kept import backward_macs, keep, tensors_among
from course_lib.complexity.memory import Memory
from course_lib.complexity.stand_ins import TRAINED, Arguments
from course_lib.complexity.traces import CUTS, mark, trace_of

# Operations that sum no products; those that torch itself marks as pointwise or as views are not repeated here.
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
    unique_consecutive unsafe_chunk unsafe_split unsafe_split_with_sizes _unsafe_view unsqueeze_ upsample_bicubic2d
    _upsample_bicubic2d_aa upsample_bilinear2d _upsample_bilinear2d_aa upsample_linear1d upsample_nearest1d
    upsample_nearest2d upsample_nearest3d _upsample_nearest_exact1d _upsample_nearest_exact2d
    _upsample_nearest_exact3d upsample_trilinear3d var var_mean _weight_norm_interface where zero_ zeros zeros_like
    """.split()
)


def is_free(operation: Any) -> bool:
    """Whether an operation sums no products: views, elementwise functions, and those of ``FREE``."""
    return (
        operation.is_view
        or torch.Tag.pointwise in operation.tags
        or (operation.namespace in ("aten", "prims", "prim") and _is_known(operation.overloadpacket.__name__))
    )


def _is_known(name: str) -> bool:
    return name in FREE or name.startswith(("sym_", "_assert", "_local_scalar"))


class AtenCounter(TorchDispatchMode):
    """Counts torch's inner operations while it is active, and books the memory that they take and keep.

    Attributes:
        macs: multiply-adds so far.
        backward_macs: those of the gradients.
        not_counted: operations that no rule covers.
    """

    def __init__(self, arguments: Arguments, memory: Memory, rules: Rules, *, grad: bool) -> None:
        super().__init__()
        self.macs = self.backward_macs = 0
        self.not_counted: list[str] = []
        self._arguments, self._memory, self._rules, self._grad = arguments, memory, rules, grad

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        """Run one inner operation, on shapes alone where the pass is one of shapes, and count it."""
        args, kwargs = self._arguments.inner_call(args, kwargs or {})
        output = func(*args, **kwargs)
        name = func.overloadpacket.__name__
        outputs = [value for value in _values(output) if isinstance(value, Tensor)]
        own = self._rules.get(f"{func.namespace}.{name}")
        rule = own or (ATEN_RULES.get(name) if func.namespace == "aten" else QUANTIZED_RULES.get(name))
        macs = 0
        if rule is not None:
            macs = int(rule(args, kwargs, output if own else outputs[0] if outputs else output))
            self.macs += macs
        elif outputs and not is_free(func):
            self.not_counted.append(f"{func.namespace}.{name}")
        self._book(func, name.strip("_"), args, kwargs, outputs, macs)
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
