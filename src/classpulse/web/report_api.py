"""The report of a class, from its page."""

from typing import Any

from fastapi import APIRouter, HTTPException, Response

from classpulse.report.contents import read_class
from classpulse.report.files import Format, render
from classpulse.report.pdf import HOW, is_installed
from classpulse.web.api import UNKNOWN, StoreHere, stored_session
from classpulse.web.schema import Problem

router = APIRouter(prefix="/api/v1/sessions/{session_id}", responses=UNKNOWN)
HTML: dict[int | str, dict[str, Any]] = {
    200: {"description": "A page that stands alone.", "content": {"text/html": {"schema": {"type": "string"}}}}
}
PDF: dict[int | str, dict[str, Any]] = {
    200: {"description": "The same on A4.", "content": {"application/pdf": {}}},
    501: {"model": Problem, "description": "What makes PDFs is not installed."},
}


@router.get("/report.html", response_class=Response, responses=HTML)
def report_html(session_id: int, store: StoreHere) -> Response:
    """What a teacher reads after a class, or of one that still runs."""
    return Response(_rendered(session_id, store, "html"), media_type="text/html; charset=utf-8")


@router.get("/report.pdf", response_class=Response, responses=PDF)
def report_pdf(session_id: int, store: StoreHere) -> Response:
    """The same as a PDF."""
    if not is_installed():
        raise HTTPException(501, f"{HOW[0].upper()}{HOW[1:]}.")
    name = f'inline; filename="classpulse-class-{session_id}.pdf"'
    content = _rendered(session_id, store, "pdf")
    return Response(content, media_type="application/pdf", headers={"Content-Disposition": name})


def _rendered(session_id: int, store: StoreHere, kind: Format) -> bytes:
    known, _ = stored_session(store, session_id)
    return render([read_class(known, session_id)], kind)
