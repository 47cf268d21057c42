"""A run's folder: what it was asked, what it saw, how it went, and its checkpoints."""

from __future__ import annotations

import contextlib
import io
import json
import os
import platform
import subprocess
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from pydantic import ValidationError

from classpulse.errors import TrainingError
from classpulse.training.faces.faceset import EMOTIONS, Split
from classpulse.training.recipe import Recipe
from classpulse.training.whole_files import as_csv, as_json, make_folder, require_free, write_whole

if TYPE_CHECKING:
    from pydantic import BaseModel

    from classpulse.training.faces.faceset import FaceSet

RECORD, HISTORY, LAST, TRAINED_ON = "record.json", "history.csv", "last.pt", "trained-on.pt"
INSTEAD = "begin a new run, if you like from another checkpoint of the folder with --set weights=FILE.pt"
PACKAGES = ("classpulse", "torch", "numpy", "opencv-python-headless")


class Run:
    """A folder that holds one run.

    `record.json` says what was asked (the recipe), what was seen (splits, fingerprint) and with what (versions,
    commit); `history.csv` has a row an epoch; `last.pt` is where to go on; `best-TARGET.pt` is the network that
    PublicTest liked best. Every file is written whole or not at all.
    """

    def __init__(self, folder: Path, record: dict[str, Any]) -> None:
        """Made by `create` and `open`."""
        self.folder = folder
        self.record = record
        self.recipe = Recipe(**record["recipe"])

    @classmethod
    def create(cls, folder: Path, recipe: Recipe, faces: FaceSet, data: Path) -> Run:
        """Prepare a run; `begin` makes its folder.

        Args:
            folder: must not hold a run.
            recipe: what is asked.
            faces: what it sees.
            data: where those came from.

        Raises:
            TrainingError: there is a run already.
        """
        require_no_run(folder)
        return cls(folder, new_record(recipe, faces, data))

    def begin(self, seen: FaceSet) -> None:
        """Make the folder; write the record and, by their hashes, the faces that gradients will see.

        Raises:
            TrainingError: they cannot be written.
        """
        make_folder(self.folder)
        digests = io.BytesIO()
        torch.save(torch.from_numpy(seen.digests().view("int64")), digests)
        self.write(TRAINED_ON, digests.getvalue())
        self.write(RECORD, as_json(self.record))

    @classmethod
    def open(cls, folder: Path) -> Run:
        """A run that was begun.

        Raises:
            TrainingError: there is none, or its record makes no sense.
        """
        path = folder / RECORD
        try:
            return cls(folder, json.loads(path.read_text(encoding="utf-8")))
        except FileNotFoundError:
            message = f"{folder} holds no run: it has no {RECORD}"
            raise TrainingError(message) from None
        except ValidationError as error:
            first = error.errors()[0]
            name = ".".join(str(part) for part in first["loc"])
            message = f"{path} is of no network that we know: {name} cannot be {first['input']!r}"
            raise TrainingError(message) from None
        except (OSError, ValueError, KeyError, TypeError) as error:
            message = f"{path} cannot be read: {error}"
            raise TrainingError(message) from None

    def saw(self, training: FaceSet) -> bool:
        """Whether these are the Training faces that the run was begun with."""
        return bool(training.fingerprint() == self.record["data"]["trained_on"]["fingerprint"])

    def write(self, name: str, content: bytes) -> None:
        """Write a file whole or not at all.

        Raises:
            TrainingError: the disk is full or read-only; what was there before is still there.
        """
        write_whole(self.folder / name, content, advice="the last checkpoint is kept, go on with --resume")

    def save(self, name: str, state: dict[str, Any]) -> None:
        """Keep a checkpoint.

        Raises:
            TrainingError: it cannot be written.
        """
        content = io.BytesIO()
        torch.save(state, content)
        self.write(name, content.getvalue())

    def load(self, name: str) -> dict[str, Any]:
        """A checkpoint; nothing but tensors and numbers is taken out of it.

        Raises:
            TrainingError: it is missing or damaged.
        """
        return load_checkpoint(self.folder / name)

    def unfinished(self) -> str:
        """A sentence for whoever takes a run for done that has more epochs to go; empty where it has none.

        Raises:
            TrainingError: its table of epochs cannot be read.
        """
        try:
            done = max(0, len((self.folder / HISTORY).read_text(encoding="utf-8").splitlines()) - 1)
        except FileNotFoundError:
            return ""
        except (OSError, ValueError) as error:
            message = f"{self.folder / HISTORY} cannot be read: {error}"
            raise TrainingError(message) from None
        if done >= self.recipe.epochs:
            return ""
        return f"This run has {done} of {self.recipe.epochs} epochs: `classpulse train … --resume` goes on with it."

    def write_history(self, rows: list[dict[str, float]]) -> None:
        """Write the table of epochs."""
        self.write(HISTORY, as_csv(rows))


def require_no_run(folder: Path) -> None:
    """Refuse to begin where there is a run already.

    Raises:
        TrainingError: there is one.
    """
    require_free(folder, without=RECORD, advice="go on with it with --resume, or choose another folder with --out")


def new_record(recipe: BaseModel, faces: FaceSet, data: Path, packages: tuple[str, ...] = PACKAGES) -> dict[str, Any]:
    """What a run's `record.json` says: what was asked, what was seen, and with what.

    Args:
        recipe: what is asked.
        faces: what it sees: Training and, to choose by, PublicTest.
        data: where those came from; only its name is kept.
        packages: whose versions decide the result.
    """
    seen = faces.split(Split.TRAINING)
    return {
        "recipe": recipe.model_dump(mode="json"),
        "labels": list(EMOTIONS),
        "began_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "data": {
            "name": data.name,
            "trained_on": {"split": Split.TRAINING.value, "faces": len(seen), "fingerprint": seen.fingerprint()},
            "chosen_by": {"split": Split.PUBLIC.value, "faces": len(faces.split(Split.PUBLIC))},
            "votes": faces.has_votes,
        },
        "versions": {"python": platform.python_version()} | _versions(packages),
        "commit": _commit(),
        "machine": {"processor": platform.processor() or platform.machine(), "cores": os.cpu_count()},
    }


def load_checkpoint(path: Path) -> dict[str, Any]:
    """A checkpoint of any run; nothing but tensors and numbers is taken out of it.

    Raises:
        TrainingError: it is missing or damaged.
    """
    try:
        return dict(torch.load(path, map_location="cpu", weights_only=True))
    except FileNotFoundError:
        message = f"{path} does not exist: the run has not finished an epoch"
        raise TrainingError(message) from None
    except Exception as error:  # noqa: BLE001 - torch and pickle raise what they like
        if isinstance(error, OSError) and error.filename is not None:  # those of a broken archive name no file
            message = f"{path} cannot be read: {error.strerror}"
        else:  # what torch says of it helps nobody, and to trust the file, as it advises, is not to be done
            message = f"{path} is not a checkpoint, or is damaged: {INSTEAD}"
        raise TrainingError(message) from None


def _versions(packages: tuple[str, ...]) -> dict[str, str]:
    found = {}
    for name in packages:
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


def _commit() -> str:
    """The checkout's commit, with `+` if something was changed since; empty where there is none."""
    here = Path(__file__).parent

    def git(*words: str) -> str:
        try:
            command = ["git", "-C", str(here), *words]
            return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip()  # noqa: S603
        except OSError:
            return ""

    return git("rev-parse", "--short=12", "HEAD") + ("+" if git("status", "--porcelain", "-uno") else "")
