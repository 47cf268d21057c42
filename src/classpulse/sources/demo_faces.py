"""The demo's heads: cut out of two public-domain portraits, and set in one common frame.

In that frame, 400 px wide and 440 high, the middle between the eyes is at (200, 190) and the mouth 80 px
below it, so that parts of one face fit the other: a smile for the one who does not smile, closed lips for
the one who does, and a third and a fourth face that are a mixture of both.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING

import cv2
import numpy as np

from classpulse.errors import SourceError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from classpulse.types import Floats, Image

WIDTH, HEIGHT = 400, 440
FACE_PX = 236
"""Height of a face in the common frame, as detectors see it: brow to chin."""
CENTRE = (201, 217)
"""Middle of the face in the common frame, px."""

_EYES = np.array([200.0, 190.0])
_EYES_TO_MOUTH = 80.0
_FACE = [
    *[(112, 168), (135, 162), (200, 158), (268, 162), (290, 168), (292, 186), (283, 215), (276, 250)],
    *[(268, 285), (240, 312), (203, 322), (165, 315), (137, 288), (128, 250), (120, 215), (110, 186)],
]
_HAIR = [
    *[(52, 118), (40, 60), (120, 0), (300, 0), (360, 100), (360, 220), (305, 245), (292, 236), (290, 200)],
    *[(286, 166), (268, 156), (240, 152), (200, 146), (160, 140), (135, 137), (122, 145), (116, 170)],
    *[(112, 195), (108, 215), (100, 222), (90, 226), (60, 200)],
]
_SMILE_LINES = (
    [(176, 232), (158, 246), (147, 264), (150, 280)],
    [(226, 232), (244, 246), (255, 264), (252, 280)],
)


@dataclass(frozen=True, slots=True)
class Portrait:
    """Where the face is in a portrait that the package carries.

    Attributes:
        file: its name among the bundled files.
        right_eye, left_eye, mouth: `x, y` in the file, px; the right eye is the left one in the picture.
        outline: head and neck in the common frame, px.
        neck_y: the lowest row of bare neck in the common frame.
    """

    file: str
    right_eye: tuple[float, float]
    left_eye: tuple[float, float]
    mouth: tuple[float, float]
    outline: Sequence[tuple[int, int]]
    neck_y: int


COLLINS = Portrait(
    "astronaut.png",
    (203.3, 103.0),
    (247.1, 104.7),
    (223.2, 143.8),
    [
        *[(192, 13), (164, 24), (147, 25), (126, 40), (126, 45), (118, 53), (88, 71), (58, 98), (54, 111)],
        *[(54, 137), (59, 183), (63, 193), (89, 219), (97, 237), (106, 246), (116, 249), (117, 267)],
        *[(120, 280), (125, 288), (126, 333), (127, 346), (263, 346), (268, 293), (281, 271), (284, 252)],
        *[(294, 247), (308, 233), (311, 226), (328, 209), (342, 185), (343, 171), (348, 164), (349, 136)],
        *[(345, 129), (345, 119), (339, 106), (339, 98), (334, 84), (317, 56), (310, 49), (295, 39)],
        *[(286, 37), (271, 28), (264, 28), (241, 17), (221, 17), (217, 13)],
    ],
    343,
)
HOPPER = Portrait(
    "grace_hopper.jpg",
    (217.9, 197.9),
    (306.7, 188.8),
    (271.0, 276.1),
    [
        *[(187, 26), (177, 29), (169, 39), (155, 41), (139, 49), (132, 56), (127, 66), (123, 91), (110, 121)],
        *[(112, 140), (103, 152), (102, 163), (95, 177), (95, 202), (99, 209), (94, 227), (94, 236)],
        *[(97, 239), (97, 254), (100, 262), (110, 273), (132, 284), (133, 321), (134, 330), (249, 330)],
        *[(250, 323), (252, 306), (264, 301), (282, 281), (287, 267), (288, 255), (291, 252), (296, 230)],
        *[(299, 226), (300, 212), (306, 202), (306, 191), (302, 188), (302, 179), (309, 149), (310, 103)],
        *[(308, 98), (297, 95), (294, 80), (287, 68), (270, 55), (253, 48), (245, 38), (230, 30), (214, 26)],
    ],
    327,
)


@dataclass(frozen=True, slots=True, eq=False)
class Head:
    """One head in the common frame, with three mouths.

    Attributes:
        rest, smile, gasp: (440, 400, 3) uint8 BGR: lips closed, teeth shown, mouth open.
        mask: (440, 400) float32, 0 to 1: how much of each pixel is head.
        hair: (440, 400) float32, 0 to 1: how much of it is hair.
    """

    rest: Image
    smile: Image
    gasp: Image
    mask: Floats
    hair: Floats


def load_heads() -> dict[str, Head]:
    """Cut the four heads out of the bundled portraits.

    Raises:
        SourceError: a portrait is missing or damaged.
    """
    collins, hopper = _load(COLLINS), _load(HOPPER)
    bare_young = _erase_mouth(_soften_smile_lines(collins), (201, 274), (52, 22))
    closed = _borrow(bare_young, hopper, 0.95, (0, 2), (201, 271), (39, 11), 4)
    young = (
        _calm_cheeks(closed, hopper),
        collins,
        _gasp(bare_young, (201, 279), (112, 112, 182)),
    )
    old = (
        hopper,
        _borrow(hopper, collins, 1.0, (0, -1), (202, 270), (50, 24), 6),
        _gasp(_erase_mouth(hopper, (201, 269), (46, 16)), (202, 275), (92, 98, 178)),
    )
    elder_rest = _swap_face(collins, hopper)
    elder_bare = _erase_mouth(elder_rest, (201, 269), (46, 16))
    elder = (elder_rest, _swap_face(collins, old[1]), _gasp(elder_bare, (202, 276), (108, 112, 172)))
    between = [np.asarray(cv2.addWeighted(a, 0.55, b, 0.45, 0), np.uint8) for a, b in zip(young, elder, strict=True)]
    hair = _polygon(_HAIR, 2.5)
    return {
        "young": _head(young, hair, COLLINS),
        "elder": _head(elder, hair, COLLINS),
        "between": _head(between, hair, COLLINS),
        "cap": _head(old, np.zeros_like(hair), HOPPER),
    }


def _head(mouths: Sequence[Image], hair: Floats, portrait: Portrait) -> Head:
    neck_y, mask = portrait.neck_y, _polygon(portrait.outline, 1.2, erode=3)
    mask[neck_y:] = mask[neck_y - 1]
    rest, smile, gasp = (_with_neck(image, neck_y) for image in mouths)
    return Head(rest, smile, gasp, mask, hair)


def _load(portrait: Portrait) -> Image:
    """The portrait, turned and scaled into the common frame."""
    try:
        data = (files("classpulse") / "bundled" / portrait.file).read_bytes()
    except OSError:
        message = f"this installation lacks {portrait.file}, which the demo shows: reinstall classpulse"
        raise SourceError(message) from None
    image = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR) if data else None
    if image is None:
        message = f"{portrait.file} in this installation is damaged: reinstall classpulse"
        raise SourceError(message)
    right, left, mouth = (np.array(p) for p in (portrait.right_eye, portrait.left_eye, portrait.mouth))
    middle = (right + left) / 2
    scale = _EYES_TO_MOUTH / float(np.linalg.norm(mouth - middle))
    angle = -np.arctan2(left[1] - right[1], left[0] - right[0])
    turn = scale * np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    matrix = np.column_stack([turn, _EYES - turn @ middle])
    flags = cv2.INTER_CUBIC if scale > 1 else cv2.INTER_LINEAR
    warped = cv2.warpAffine(image, matrix, (WIDTH, HEIGHT), flags=flags, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(warped, np.uint8)


def _polygon(points: Sequence[tuple[int, int]], blur: float, erode: int = 0) -> Floats:
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.fillPoly(mask, [np.array(points, np.int32)], 1.0)
    if erode:
        mask = np.asarray(cv2.erode(mask, np.ones((erode, erode), np.uint8)), np.float32)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), blur), np.float32)


def _ellipse(centre: tuple[int, int], radii: tuple[int, int], blur: float) -> Floats:
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    cv2.ellipse(mask, centre, radii, 0, 0, 360, 1.0, -1)
    return np.asarray(cv2.GaussianBlur(mask, (0, 0), blur), np.float32)


def mix(below: Image, above: Image | Floats, mask: Floats) -> Image:
    """Lay one picture, or one colour, on another where the mask says so.

    Args:
        below: (H, W, 3) uint8.
        above: (H, W, 3) uint8, or a colour: (3,) float32, 0 to 255.
        mask: (H, W) float32, 0 to 1.

    Returns:
        (H, W, 3) uint8.
    """
    if above.ndim == 1:
        above = np.full_like(below, np.clip(above, 0, 255).astype(np.uint8))
    return np.asarray(cv2.blendLinear(below, above, 1 - mask, mask), np.uint8)


def _match(source: Image, target: Image, where: NDArray[np.bool_], contrast: float = 1.0) -> Image:
    """Give `source` the mean colour of `target`, both taken where the mask is set."""
    ours, theirs = (cv2.cvtColor(i, cv2.COLOR_BGR2LAB).astype(np.float32) for i in (source, target))
    mean = ours[where].mean(axis=0)
    moved = (ours - mean) * contrast + theirs[where].mean(axis=0)
    return np.asarray(cv2.cvtColor(np.clip(moved, 0, 255).astype(np.uint8), cv2.COLOR_LAB2BGR), np.uint8)


def _borrow(
    image: Image,
    other: Image,
    scale: float,
    shift: tuple[int, int],
    centre: tuple[int, int],
    radii: tuple[int, int],
    blur: float,
) -> Image:
    """Set the other portrait's mouth into this one, in this one's colours."""
    matrix = np.array([[scale, 0, centre[0] * (1 - scale) + shift[0]], [0, scale, centre[1] * (1 - scale) + shift[1]]])
    moved = np.asarray(cv2.warpAffine(other, matrix, (WIDTH, HEIGHT), borderMode=cv2.BORDER_REPLICATE), np.uint8)
    mask = _ellipse(centre, radii, blur)
    rim = (cv2.dilate(mask, np.ones((13, 13), np.uint8)) > 0.1) & (mask < 0.35)
    return mix(image, _match(moved, image, rim), mask)


def _soften_smile_lines(image: Image) -> Image:
    mask = np.zeros((HEIGHT, WIDTH), np.float32)
    for line in _SMILE_LINES:
        cv2.polylines(mask, [np.array(line, np.int32)], isClosed=False, color=1.0, thickness=13)
    return mix(
        image,
        np.asarray(cv2.GaussianBlur(image, (0, 0), 8), np.uint8),
        np.asarray(cv2.GaussianBlur(mask, (0, 0), 3), np.float32),
    )


def _calm_cheeks(image: Image, other: Image) -> Image:
    """Take the rest of a smile off: the other's lower face, softened, shines through, and the cheeks are dulled."""
    cheeks = _ellipse((202, 235), (45, 40), 1.0) > 0.5
    lower = _match(np.asarray(cv2.GaussianBlur(other, (0, 0), 2.5), np.uint8), image, cheeks, contrast=0.75)
    calm = mix(image, lower, np.asarray(_ellipse((202, 262), (66, 42), 9.0) * 0.65, np.float32))
    dull = cv2.convertScaleAbs(cv2.GaussianBlur(calm, (0, 0), 12), alpha=0.97)
    shine = _ellipse((163, 226), (22, 13), 6.0) + _ellipse((243, 226), (22, 13), 6.0)
    return mix(calm, np.asarray(dull, np.uint8), np.asarray(shine * 0.8, np.float32))


def _erase_mouth(image: Image, centre: tuple[int, int], radii: tuple[int, int]) -> Image:
    hole = np.zeros((HEIGHT, WIDTH), np.uint8)
    cv2.ellipse(hole, centre, radii, 0, 0, 360, 255, -1)
    filled = cv2.GaussianBlur(cv2.inpaint(image, hole, 9, cv2.INPAINT_TELEA), (0, 0), 4).astype(np.float32)
    grain = np.random.default_rng(0).normal(size=(HEIGHT, WIDTH)).astype(np.float32)
    filled = np.clip(filled + 6 * cv2.GaussianBlur(grain, (0, 0), 1.2)[..., None], 0, 255).astype(np.uint8)
    return mix(image, filled, np.asarray(cv2.GaussianBlur(hole.astype(np.float32) / 255, (0, 0), 3), np.float32))


def _gasp(image: Image, centre: tuple[int, int], lip: tuple[int, int, int]) -> Image:
    """Paint an open mouth: a shadow, lips, the dark inside, tongue and upper teeth."""
    (x, y), lips = centre, np.array(lip, np.float32)
    strokes: list[tuple[tuple[int, int], tuple[int, int], NDArray[np.float32], float, float]] = [
        ((x, y + 24), (20, 5), lips * 0.55, 4.0, 0.35),
        ((x, y), (24, 20), lips, 2.5, 0.85),
        ((x, y + 17), (13, 3), lips * 1.25, 2.0, 0.5),
        ((x, y), (18, 14), np.array([34, 26, 48], np.float32), 1.6, 1.0),
        ((x, y + 10), (11, 4), np.array([70, 62, 120], np.float32), 2.5, 0.8),
        ((x, y - 9), (12, 3), np.array([190, 200, 208], np.float32), 1.5, 0.75),
    ]
    for at, radii, colour, blur, strength in strokes:
        image = mix(image, colour, np.asarray(_ellipse(at, radii, blur) * strength, np.float32))
    return image


def _swap_face(image: Image, face: Image) -> Image:
    cheeks = _ellipse((202, 235), (45, 40), 1.0) > 0.5
    return mix(image, _match(face, image, cheeks, contrast=0.8), _polygon(_FACE, 5.0))


def _with_neck(image: Image, neck_y: int) -> Image:
    """Go on downwards from the neck's last row in the colour of the cheeks, to have something to put into a collar."""
    rows = HEIGHT - neck_y
    last = cv2.GaussianBlur(image[neck_y - 4 : neck_y].mean(axis=0, keepdims=True), (0, 0), 9)
    cheeks = image[215:245, 150:250].reshape(-1, 3).mean(axis=0)
    round_off = 0.8 - 0.4 * ((np.arange(WIDTH, dtype=np.float32) - 195) / 75)[None, :, None] ** 2
    share = np.linspace(0, 1, rows, dtype=np.float32)[:, None, None] ** 0.6
    neck = last * (1 - share) + cheeks * np.clip(round_off, 0.3, 1) * share
    return np.concatenate([image[:neck_y], np.clip(neck, 0, 255).astype(np.uint8)])
