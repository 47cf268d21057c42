"""Training runs: their curves, what they were asked, and their evaluations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import streamlit as st

from classpulse.errors import TrainingError
from classpulse.lab import training_runs, visit
from classpulse.lab.curves import curves

if TYPE_CHECKING:
    from pathlib import Path

    from classpulse.lab.training_runs import TrainingRun

PUBLIC = {"public_label": "FER-2013 label", "public_people": "agreement with people"}
PAGE_PX = 900


def show() -> None:
    """The page."""
    st.title("Training runs")
    st.markdown("How the networks learned, what each was asked, and how it did.")
    root = visit.runs_dir()
    runs = _runs(root)
    evaluations = training_runs.find(root, training_runs.EVALUATION)
    if not runs and not evaluations:
        _show_nothing(root)
        return
    if runs:
        _show_table(runs)
        name = st.selectbox("Run", [run.name for run in runs], key="run")
        _show_run(next(run for run in runs if run.name == name))
    if evaluations:
        _show_evaluations(evaluations, root)


def _runs(root: Path) -> list[TrainingRun]:
    """Every run that can be read, the newest first; of the others it is told why not."""
    found = []
    for path in training_runs.find(root, training_runs.RECORD):
        try:
            found.append(training_runs.read_run(path, root))
        except TrainingError as error:
            st.warning(str(error))
    return sorted(found, key=lambda run: str(run.record.get("began_at", "")), reverse=True)


def _show_nothing(root: Path) -> None:
    st.info(f"There is no run in `{root}`.", icon=":material/model_training:")
    st.markdown("Train one, or show another folder:")
    st.code(
        "classpulse train compact --data fer2013/ --out runs/quick --quick\nclasspulse lab --set lab.runs_dir=FOLDER",
        language="sh",
    )


def _show_table(runs: list[TrainingRun]) -> None:
    rows = []
    for run in runs:
        row: dict[str, Any] = {
            "run": run.name,
            "network": run.network,
            "began": _minute(run),
            "epochs": len(run.history),
        }
        for column, title in PUBLIC.items():
            best = run.best(column)
            row[title] = None if best is None else best[1]
        row["hours"] = round(sum(line.get("seconds", 0.0) for line in run.history) / 3600, 2)
        rows.append(row)
    shares = {title: st.column_config.NumberColumn(title, format="percent") for title in PUBLIC.values()}
    st.dataframe(rows, hide_index=True, column_config=shares)
    st.caption(
        "Best epoch on PublicTest, the faces that epochs are chosen by. PrivateTest is not opened while training."
    )


def _minute(run: TrainingRun) -> str:
    return str(run.record.get("began_at", ""))[:16].replace("T", " ")


def _show_run(run: TrainingRun) -> None:
    recipe = run.record.get("recipe", {})
    columns = st.columns(4)
    columns[0].metric("Network", run.network)
    columns[1].metric("Epochs", f"{len(run.history)} of {recipe.get('epochs', '?')}")
    for column, (name, title) in zip(columns[2:], PUBLIC.items(), strict=True):
        best = run.best(name)
        column.metric(
            _capital(title), "not trained" if best is None else f"{100 * best[1]:.1f} %", help="PublicTest, best epoch"
        )
    if run.history:
        _show_curves(run.history)
    else:
        st.caption("No epoch is finished yet.")
    with st.expander("What was asked, seen and used"):
        left, right = st.columns(2)
        left.dataframe(_facts(recipe), hide_index=True)
        rest = {name: run.record.get(name) for name in ("data", "versions", "machine", "commit")}
        right.dataframe(_facts(rest), hide_index=True)
    page = run.folder / training_runs.PAGE
    if page.is_file():
        with st.expander("The run's own page"):
            _show_page(page)


def _show_curves(history: list[dict[str, float]]) -> None:
    loss, accuracy, rate = st.tabs(["Accuracy", "Loss", "Learning rate"])
    scores = {name: f"PublicTest, {title}" for name, title in PUBLIC.items() if name in history[-1]}
    loss.altair_chart(curves(history, {**scores, "accuracy": "Training, augmented"}, "accuracy", percent=True))
    accuracy.altair_chart(curves(history, {"loss": "Training loss"}, "loss", percent=False))
    rate.altair_chart(curves(history, {"learning_rate": "learning rate"}, "rate", percent=False))


def _facts(record: dict[str, Any], before: str = "") -> list[dict[str, str]]:
    """A tree of names and values as a table of two columns."""
    rows = []
    for name, value in record.items():
        if isinstance(value, dict):
            rows += _facts(value, f"{before}{name}.")
        else:
            told = ", ".join(map(str, value)) if isinstance(value, list) else "" if value is None else str(value)
            rows.append({"name": f"{before}{name}", "value": told[:80]})
    return rows


def _show_evaluations(paths: list[Path], root: Path) -> None:
    st.subheader("Evaluations")
    names = [path.parent.relative_to(root).as_posix() for path in paths]
    name = st.selectbox("Evaluation", names, key="evaluation")
    path = paths[names.index(name)]
    try:
        record = training_runs.read_json(path)
        _show_scores(record)
    except (TrainingError, KeyError, TypeError, ValueError) as error:
        st.warning(str(error) if isinstance(error, TrainingError) else f"{path.name} in {name} is not one of ours")
        return
    page = path.parent / training_runs.PAGE
    if page.is_file():
        with st.expander("The whole page", expanded=True):
            _show_page(page)


def _show_scores(record: dict[str, Any]) -> None:
    model, data = record["model"], record["data"]
    scores = record["scores"]
    columns = st.columns(max(2, len(scores) + 1))
    columns[0].metric("Faces", f"{data['faces']:,}", help=f"{data['split']} of {data['name']}")
    for column, (target, score) in zip(columns[1:], scores.items(), strict=False):
        rate = score["accuracy"]
        help_ = f"95 % interval {100 * rate['low']:.1f} to {100 * rate['high']:.1f} %"
        column.metric(_capital(PUBLIC.get(f"public_{target}", target)), f"{100 * rate['value']:.1f} %", help=help_)
    st.caption(f"{model['name']}, {model['kind']}. " + " ".join(str(note) for note in record.get("notes", [])))


def _show_page(page: Path) -> None:
    st.iframe(training_runs.standing_alone(page), height=PAGE_PX)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
