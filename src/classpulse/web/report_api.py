"""The report of a class, from its page."""

from typing import TYPE_CHECKING, Annotated, Any, cast

from fastapi import APIRouter, Depends, HTTPException, Request, Response

from classpulse.report.contents import MIN_COVERAGE, read_class
from classpulse.report.files import Format, render
from classpulse.report.pdf import HOW, is_installed
from classpulse.web.api import UNKNOWN, StoreHere, stored_session
from classpulse.web.language import language_of
from classpulse.web.schema import Problem

if TYPE_CHECKING:
    from classpulse.storage.store import Store
    from classpulse.web.office import Office

router = APIRouter(prefix="/api/v1/sessions/{session_id}", responses=UNKNOWN)
HTML: dict[int | str, dict[str, Any]] = {
    200: {"description": "A page that stands alone.", "content": {"text/html": {"schema": {"type": "string"}}}}
}
PDF: dict[int | str, dict[str, Any]] = {
    200: {"description": "The same on A4.", "content": {"application/pdf": {}}},
    501: {"model": Problem, "description": "What makes PDFs is not installed."},
}


def _min_coverage(request: Request) -> float:
    """What the class that runs here goes by."""
    office = cast("Office | None", request.app.state.office)
    return MIN_COVERAGE if office is None else office.settings.attention.min_coverage


CoverageHere = Annotated[float, Depends(_min_coverage)]
LanguageHere = Annotated[str, Depends(language_of)]


@router.get("/report.html", response_class=Response, responses=HTML)
def report_html(session_id: int, store: StoreHere, min_coverage: CoverageHere, language: LanguageHere) -> Response:
    """What a teacher reads after a class, or of one that still runs."""
    content = _rendered(session_id, store, min_coverage, "html", language)
    return Response(content, media_type="text/html; charset=utf-8")


@router.get("/report.pdf", response_class=Response, responses=PDF)
def report_pdf(session_id: int, store: StoreHere, min_coverage: CoverageHere, language: LanguageHere) -> Response:
    """The same as a PDF."""
    if not is_installed():
        raise HTTPException(501, f"{HOW[0].upper()}{HOW[1:]}.")
    name = f'inline; filename="classpulse-class-{session_id}.pdf"'
    content = _rendered(session_id, store, min_coverage, "pdf", language)
    return Response(content, media_type="application/pdf", headers={"Content-Disposition": name})


def _rendered(session_id: int, store: "Store | None", min_coverage: float, kind: Format, language: str) -> bytes:
    known, _ = stored_session(store, session_id)
    return render([read_class(known, session_id, min_coverage)], kind, language)
