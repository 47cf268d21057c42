"""`compact`: a small residual network for live use on an ordinary processor."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import Tensor, nn

from classpulse.training.networks.heads import Network

if TYPE_CHECKING:
    from collections.abc import Sequence


class Compact(Network):
    """A stem at half resolution, then stages of two residual blocks, each at half the resolution of the one before.

    Plain 3x3 convolutions (He et al. 2016, arXiv 1512.03385): on processors they keep the arithmetic units busier than
    depthwise ones, and quantize to eight bits without loss.
    """

    def __init__(self, targets: tuple[str, ...], *, widths: Sequence[int], side_px: int, dropout: float) -> None:
        """Make it for images of `side_px`, with the `widths` of its stages."""
        layers: list[nn.Module] = [_conv(1, widths[0], 3, 2), nn.ReLU(inplace=True)]
        before = widths[0]
        for i, width in enumerate(widths):
            layers += [Residual(before, width, stride=1 if i == 0 else 2), Residual(width, width, stride=1)]
            before = width
        features = nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten())
        super().__init__(features, before, targets, side_px=side_px, dropout=dropout)


class Residual(nn.Module):
    """Two 3x3 convolutions and a way around them."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        """From `inputs` to `outputs` channels."""
        super().__init__()
        self.body = nn.Sequential(
            _conv(inputs, outputs, 3, stride), nn.ReLU(inplace=True), _conv(outputs, outputs, 3, 1)
        )
        same = inputs == outputs and stride == 1
        self.around = nn.Identity() if same else _conv(inputs, outputs, 1, stride)
        self.relu = nn.ReLU(inplace=True)

    def forward(self, images: Tensor) -> Tensor:
        """(N, inputs, h, w) to (N, outputs, h / stride, w / stride)."""
        result: Tensor = self.relu(self.body(images) + self.around(images))
        return result


def _conv(inputs: int, outputs: int, kernel: int, stride: int) -> nn.Sequential:
    convolution = nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(outputs))
