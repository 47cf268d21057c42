"""What all networks share: one linear layer for each target, on the same features."""

from __future__ import annotations

from torch import Tensor, nn

from classpulse.training.faces.faceset import EMOTIONS


class Network(nn.Module):
    """Features, then a head for each target.

    The label of FER-2013 and the votes of FER+ agree on 63 % of the faces: two answers to two questions. A head for
    each lets one set of features learn from both, and neither answer is a blend.

    Attributes:
        side_px: side of the images it takes.
    """

    def __init__(
        self, features: nn.Module, width: int, targets: tuple[str, ...], *, side_px: int, dropout: float
    ) -> None:
        """Put heads for `targets` on `features`, which turn (N, 1, side_px, side_px) into (N, width)."""
        super().__init__()
        self.side_px = side_px
        self.features = features
        self.dropout = nn.Dropout(dropout)
        self.heads = nn.ModuleDict({target: nn.Linear(width, len(EMOTIONS)) for target in targets})

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Logits, (N, 7), for each target, of images (N, 1, side, side) float32."""
        features = self.dropout(self.features(images))
        return {target: head(features) for target, head in self.heads.items()}
