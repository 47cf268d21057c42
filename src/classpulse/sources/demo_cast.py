"""The cast of the demo: what each of the twelve made-up students looks like."""

from __future__ import annotations

from dataclasses import dataclass

Colour = tuple[int, int, int]
"""Blue, green, red, 0 to 255."""


@dataclass(frozen=True, slots=True)
class Look:
    """What one of the demo's people looks like.

    Attributes:
        head: which of the heads of `load_heads`.
        hair: colour of the hair; None leaves it as it is.
        long_hair: whether it falls on the shoulders.
        hair_width: 1 leaves the hair as it is, less draws it in at the sides.
        face_width: 1 leaves the face as it is.
        wears: `"glasses"`, `"headphones"`, `"beanie"`, `"scarf"` or nothing.
        wears_colour: colour of that.
        top: colour of the clothes.
        cut: `"crew"`, `"vee"`, `"shirt"`, `"hoodie"` or `"stripes"`.
        room: which background, see `demo_scenery`.
        face_px: height of the face in a tile 232 px high.
        place: `x, y` of the face in the tile, as shares of its sides.
        mirrored: left and right changed.
        tilt_deg: turn of the head in the picture.
        brightness, contrast: of the camera; 1 is none.
        warmth: -1 blue to 1 orange.
        saturation: 0 gray, 1 as it is.
        blur_px: of the camera.
        noise: of the camera, standard deviation in gray levels.
    """

    head: str
    hair: Colour | None = None
    long_hair: bool = False
    hair_width: float = 1.0
    face_width: float = 1.0
    wears: str = ""
    wears_colour: Colour = (40, 36, 34)
    top: Colour = (90, 60, 40)
    cut: str = "crew"
    room: str = "wall"
    face_px: float = 105.0
    place: tuple[float, float] = (0.5, 0.5)
    mirrored: bool = False
    tilt_deg: float = 0.0
    brightness: float = 1.0
    contrast: float = 1.0
    warmth: float = 0.0
    saturation: float = 1.0
    blur_px: float = 0.0
    noise: float = 2.5


LOOKS: tuple[Look, ...] = (
    Look("young", top=(96, 62, 38), room="shelf", face_px=112, place=(0.5, 0.5), tilt_deg=2),
    Look(
        "elder",
        hair=(178, 182, 186),
        top=(62, 40, 110),
        cut="vee",
        room="poster",
        face_px=118,
        place=(0.46, 0.5),
        mirrored=True,
        warmth=0.15,
        hair_width=0.86,
        tilt_deg=-3,
        blur_px=0.5,
    ),
    Look(
        "young",
        hair=(34, 32, 36),
        long_hair=True,
        hair_width=0.72,
        face_width=0.95,
        top=(60, 168, 208),
        cut="hoodie",
        room="window",
        face_px=104,
        place=(0.54, 0.5),
        mirrored=True,
        warmth=-0.3,
        contrast=0.92,
    ),
    Look(
        "cap",
        top=(120, 82, 48),
        cut="shirt",
        room="wall",
        face_px=122,
        place=(0.47, 0.53),
        mirrored=True,
        saturation=0.85,
        face_width=1.04,
    ),
    Look(
        "between",
        hair=(34, 50, 88),
        wears="headphones",
        top=(70, 98, 60),
        cut="crew",
        room="plant",
        face_px=108,
        place=(0.5, 0.52),
        hair_width=0.8,
        tilt_deg=4,
        warmth=0.2,
    ),
    Look(
        "young",
        wears="scarf",
        wears_colour=(122, 108, 44),
        top=(84, 70, 52),
        room="poster",
        face_px=116,
        place=(0.52, 0.5),
        face_width=1.05,
        warmth=0.1,
    ),
    Look(
        "elder",
        hair=(36, 44, 62),
        long_hair=True,
        hair_width=0.82,
        top=(52, 52, 58),
        cut="shirt",
        room="evening",
        face_px=92,
        place=(0.44, 0.5),
        brightness=0.95,
        warmth=0.5,
        noise=5,
        blur_px=0.6,
    ),
    Look(
        "young",
        hair=(104, 142, 172),
        wears="glasses",
        top=(130, 70, 40),
        cut="stripes",
        room="wall",
        face_px=126,
        place=(0.5, 0.55),
        hair_width=0.9,
        tilt_deg=-4,
    ),
    Look(
        "between",
        hair=(44, 44, 50),
        wears="beanie",
        wears_colour=(58, 48, 118),
        top=(70, 66, 64),
        cut="hoodie",
        room="shelf",
        face_px=96,
        place=(0.55, 0.54),
        mirrored=True,
        warmth=-0.45,
        brightness=0.9,
        noise=4,
    ),
    Look(
        "young",
        hair=(26, 38, 56),
        hair_width=0.66,
        face_width=1.08,
        wears="headphones",
        wears_colour=(210, 212, 214),
        top=(60, 60, 60),
        cut="crew",
        room="window",
        face_px=102,
        place=(0.5, 0.5),
        saturation=0.0,
        contrast=1.1,
        noise=4,
    ),
    Look(
        "elder",
        wears="scarf",
        wears_colour=(78, 52, 122),
        top=(60, 44, 84),
        room="plant",
        face_px=74,
        place=(0.52, 0.45),
        brightness=1.08,
        contrast=0.9,
    ),
    Look(
        "between",
        hair=(44, 66, 118),
        long_hair=True,
        hair_width=0.78,
        face_width=0.94,
        top=(150, 140, 96),
        cut="vee",
        room="wall",
        face_px=130,
        place=(0.48, 0.56),
        brightness=1.06,
        tilt_deg=3,
        blur_px=0.9,
    ),
)
