"""Two models side by side on the same pictures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import streamlit as st

from classpulse.errors import SourceError
from classpulse.lab import faces, visit
from classpulse.lab.comparison import Compared, NamedModel, agreement, compare, known_models
from classpulse.lab.intake import PICTURES, on_disk, read_upload, require_size
from classpulse.lab.picture_page import sample
from classpulse.lab.reading import reader
from classpulse.policy import Task
from classpulse.types import UNCERTAIN

if TYPE_CHECKING:
    from collections.abc import Iterator

    from classpulse.types import Emotions, Faces, Image

UPLOAD = "Upload a model file…"
MOST_PICTURES = 50
MOST_ROWS = 200
MODEL_MB = 64


def show() -> None:
    """The page."""
    st.title("Compare two models")
    st.markdown("The same faces, read by two models: what each says, where they differ, and how long each takes.")
    policy = visit.policy()
    policy.require(Task.EMOTION)
    left, right = st.columns(2)
    with left:
        first = _choose("First model", 0)
    with right:
        second = _choose("Second model", 1)
    pictures = _pictures()
    if first is None or second is None:
        return
    found = [
        (name, image, one, boxes) for name, image, boxes in pictures if (one := compare(first, second, image, boxes))
    ]
    if not found:
        st.caption("Add pictures with faces, or take the sample, to see what both say.")
        return
    _show_summary([one for _, _, one, _ in found], (first, second))
    _show_faces(found, (first, second))


def _choose(label: str, number: int) -> NamedModel | None:
    """One of the two models; None while none is chosen."""
    settings, policy = visit.settings(), visit.policy()
    known = known_models(settings)
    names = [*known, UPLOAD] if settings.lab.take_models else list(known)
    chosen = st.selectbox(label, names, index=min(number, len(names) - 1), key=f"model-{number}")
    if chosen != UPLOAD:
        model = NamedModel(chosen, known[chosen], settings, policy)
    else:
        file = st.file_uploader(
            "An .onnx file with its contract", type=["onnx"], max_upload_size=MODEL_MB, key=f"file-{number}"
        )
        if file is None:
            st.caption("As `classpulse export` writes it: what it takes and tells stands in the file.")
            return None
        require_size(file, file.name, MODEL_MB)
        with on_disk(file, ".onnx") as path:
            model = NamedModel(file.name, path, settings, policy)
    told = model.contract
    side = told.input.height
    st.caption(
        f"{told.name} {told.version}: {side} x {side} px {told.input.colour}, {model.mb:.1f} MB. {told.trained_on}"
    )
    return model


def _pictures() -> Iterator[tuple[str, Image, Faces]]:
    """Each picture with its name and the faces that both models get."""
    limit = visit.settings().lab.max_picture_mb
    whole = st.toggle("A whole folder", help="Your browser asks which folder, and sends its pictures.")
    files = st.file_uploader(
        "Pictures with faces",
        type=list(PICTURES),
        accept_multiple_files="directory" if whole else True,
        max_upload_size=limit,
        key="folder" if whole else "pictures",
    )
    if st.checkbox("The sample picture", value=True):
        yield "the sample", sample(), _faces(sample())
    for file in files[:MOST_PICTURES]:
        try:
            image = read_upload(file, file.name, limit)
        except SourceError as error:
            st.warning(str(error))
            continue
        yield file.name, image, _faces(image)
    if len(files) > MOST_PICTURES:
        st.info(f"The first {MOST_PICTURES} of {len(files)} pictures were read.")


def _faces(image: Image) -> Faces:
    """The faces that are large enough to be read, as the pipeline has it."""
    settings = visit.settings()
    found = reader(settings, visit.policy()).read(image).tracks.faces
    return found[found.sizes_px >= settings.emotion.min_face_px]


def _show_summary(found: list[Compared], models: tuple[NamedModel, NamedModel]) -> None:
    share, distance, count = agreement(found)
    columns = st.columns(4)
    columns[0].metric("Same first choice", f"{100 * share:.0f} %", help=f"of {count} faces")
    columns[1].metric(
        "Mean distance", f"{distance:.2f}", help="Half the sum of the differences: 0 the same, 1 nothing in common"
    )
    for column, model, place in zip(columns[2:], models, (0, 1), strict=True):
        ms = sum(one.ms[place] for one in found) / len(found)
        column.metric(model.name, f"{ms:.1f} ms", help="for one face, on one thread of this machine")


def _show_faces(found: list[tuple[str, Image, Compared, Faces]], models: tuple[NamedModel, NamedModel]) -> None:
    table = [row for name, image, one, boxes in found for row in _rows(name, image, one, boxes, models)]
    table.sort(key=lambda row: -float(str(row["distance"])))
    st.subheader("Face by face")
    config = {
        "face": st.column_config.ImageColumn("face", width="small"),
        "distance": st.column_config.ProgressColumn("distance", min_value=0, max_value=1, format="%.2f"),
    }
    st.dataframe(table[:MOST_ROWS], hide_index=True, column_config=config, row_height=64)
    st.caption(f"The greatest difference first. {faces.NOTE}")
    plain = [{key: value for key, value in row.items() if key != "face"} for row in table]
    st.download_button("Table as CSV", faces.as_csv(plain), "compared.csv", "text/csv", on_click="ignore")


def _rows(
    name: str, image: Image, one: Compared, boxes: Faces, models: tuple[NamedModel, NamedModel]
) -> Iterator[dict[str, object]]:
    titles = [f"{place}: {model.name}" for place, model in enumerate(models, 1)]
    for i, box in enumerate(boxes.boxes):
        row: dict[str, object] = {"face": faces.thumbnail(image, box), "picture": name}
        row |= {title: _word(said, i) for title, said in zip(titles, (one.first, one.second), strict=True)}
        row["same"] = "yes" if one.agree[i] else "no"
        row["distance"] = round(float(one.distances[i]), 3)
        yield row


def _word(said: Emotions, face: int) -> str:
    """What one model says of one face: its first choice with its share, also where that is not certain."""
    if not said.read[face]:
        return "not read"
    row = said.probabilities[face]
    word = said.labels[int(row.argmax())]
    unsure = "" if said.certain[face] else f" ({UNCERTAIN})"
    return f"{word} {100 * float(row.max()):.0f} %{unsure}"
