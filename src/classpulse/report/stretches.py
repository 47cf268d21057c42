"""What a chart draws in one go: every chart leaves pauses free, as the live page does."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from classpulse.report.contents import Shown

GAP_S = 1.0
"""Windows further apart than this have a pause between them."""


def stretches(windows: Sequence[Shown], told: Callable[[Shown], object]) -> list[list[Shown]]:
    """The windows that are told, parted wherever others or a pause lie between two of them.

    Args:
        windows: in the order of time.
        told: what is to be shown of a window; None where it has none.
    """
    found: list[list[Shown]] = []
    for window in windows:
        if told(window) is None:
            continue
        if not found or window.start_s - found[-1][-1].end_s > GAP_S:
            found.append([])
        found[-1].append(window)
    return found
