"""`seed-cnn`: four convolutions and two dense layers, the network that the project began as."""

from __future__ import annotations

from typing import TYPE_CHECKING

from torch import nn

from classpulse.training.networks.heads import Network

if TYPE_CHECKING:
    from collections.abc import Sequence

DENSE = (256, 512)


class SeedCnn(Network):
    """Convolution, batch norm, ReLU, pooling and dropout, four times; then two dense layers.

    The original's slides name the layers and not their widths. A public notebook on the same data that it resembles has
    widths of 64, 128, 512 and 512, the second layer with a 5x5 kernel, and dense layers of 256 and 512.
    """

    def __init__(self, targets: tuple[str, ...], *, widths: Sequence[int], side_px: int, dropout: float) -> None:
        """Make it for images of `side_px`, with four `widths`."""
        first, second, third, fourth = widths
        map_px = side_px // 16
        features = nn.Sequential(
            *_block(1, first, 3, dropout / 2),
            *_block(first, second, 5, dropout / 2),
            *_block(second, third, 3, dropout / 2),
            *_block(third, fourth, 3, dropout / 2),
            nn.Flatten(),
            *_dense(fourth * map_px * map_px, DENSE[0], dropout),
            *_dense(DENSE[0], DENSE[1], 0.0),
        )
        super().__init__(features, DENSE[1], targets, side_px=side_px, dropout=dropout)


def _block(inputs: int, outputs: int, kernel: int, dropout: float) -> list[nn.Module]:
    convolution = nn.Conv2d(inputs, outputs, kernel, padding=kernel // 2, bias=False)
    return [convolution, nn.BatchNorm2d(outputs), nn.ReLU(inplace=True), nn.MaxPool2d(2), nn.Dropout(dropout)]


def _dense(inputs: int, outputs: int, dropout: float) -> list[nn.Module]:
    layer = nn.Linear(inputs, outputs, bias=False)
    return [layer, nn.BatchNorm1d(outputs), nn.ReLU(inplace=True), nn.Dropout(dropout)]
