"""A small convolutional network for MNIST, the first one that a reader trains: 123,222 parameters."""

from __future__ import annotations

from torch import Tensor, nn

from course_lib.models.blocks import checks_input_size
from course_lib.models.registry import register


@register(image=(1, 28, 28))
def mnist_cnn(*, num_classes: int = 10, in_channels: int = 1) -> MnistCNN:
    """Three 5x5 convolutions and two fully connected layers: 123,222 parameters with one channel and ten classes.

    (N, in_channels, 28, 28) -> logits (N, num_classes). Each side may be 28 to 31 pixels.

    Args:
        num_classes: number of logits.
        in_channels: channels of the image.

    Source: an introductory article on convolutional networks for MNIST; no paper.

    Differs from the source: works with any batch size, where the source reshapes by a global one.
    """
    return MnistCNN(num_classes, in_channels)


class MnistCNN(nn.Sequential):
    """See :func:`mnist_cnn`. Its layers can be walked one by one: (N, C, 28, 28) -> (N, num_classes)."""

    def __init__(self, num_classes: int, in_channels: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, 16, kernel_size=5)
        self.relu1 = nn.ReLU()
        self.conv2 = nn.Conv2d(16, 32, kernel_size=5)
        self.relu2 = nn.ReLU()
        self.pool1 = nn.MaxPool2d(2)
        self.conv3 = nn.Conv2d(32, 64, kernel_size=5)
        self.relu3 = nn.ReLU()
        self.pool2 = nn.MaxPool2d(2)
        self.flatten = nn.Flatten()
        self.fc1 = nn.Linear(64 * 3 * 3, 100)
        self.relu4 = nn.ReLU()
        self.fc2 = nn.Linear(100, num_classes)

    @checks_input_size
    def forward(self, x: Tensor) -> Tensor:
        """(N, C, H, W) -> logits (N, num_classes); H and W 28 to 31."""
        return super().forward(x)
