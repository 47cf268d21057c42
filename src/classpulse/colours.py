"""The colours that mean something, the same on the live page, in windows and in reports; never the only sign of it.

Each group was chosen together: its colours are told apart also without red, green or blue vision.
"""

from __future__ import annotations

from classpulse.types import UNCERTAIN

EMOTION_COLOURS = {
    "happy": "#e4a83c",
    "surprise": "#59c1fe",
    "neutral": "#a3a5a9",
    "sad": "#485290",
    "fear": "#8c54d4",
    "disgust": "#0a8660",
    "angry": "#d93a10",
    UNCERTAIN: "#c9cdd4",
}
"""One for each emotion, in the order in which they are shown."""

WITH, BETWEEN, LOST = "#1668b8", "#c68400", "#b3330a"
"""How the class follows, and what students say: well, in between, not; on light ground."""
