"""One convolution layer, computed in six ways, all slower than torch's own and all meant to be read.

Each function takes a batch (N, C_in, H, W) and a weight (C_out, C_in, K_h, K_w) and returns what
``torch.nn.functional.conv2d`` returns, up to rounding: the cross-correlation (N, C_out, H_out, W_out). ``stride`` and
``padding`` are integers for both axes; padding is per side. There are no groups, no dilation and no bias.
"""

from course_lib.convolution.direct import conv2d_inner_products, conv2d_loops
from course_lib.convolution.fourier import conv2d_fft
from course_lib.convolution.products import conv2d_im2col, conv2d_shifted, im2col
from course_lib.convolution.winograd import conv2d_winograd

__all__ = [
    "conv2d_fft",
    "conv2d_im2col",
    "conv2d_inner_products",
    "conv2d_loops",
    "conv2d_shifted",
    "conv2d_winograd",
    "im2col",
]
