"""Pages in the reader's language, and the files that they load."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from fastapi import HTTPException, Request, Response

from classpulse.texts import LANGUAGES, MIRRORED
from classpulse.web.language import code_texts, keep_choice, language_of, page_in
from classpulse.web.static_files import MEDIA_TYPES, StaticFiles, answer_text

if TYPE_CHECKING:
    from fastapi import FastAPI

STATIC = Path(__file__).with_name("static")
BUNDLED = Path(__file__).parents[1] / "bundled"
VENDOR = ("uPlot.iife.min.js", "uPlot.min.css", "ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")


def add_files(app: FastAPI) -> StaticFiles:
    """Serve the pages' own files under `/static`, which need nobody's leave, and their texts in every language."""
    files = {path.name: path for path in STATIC.iterdir() if path.suffix in MEDIA_TYPES}
    files |= {f"vendor/{name}": BUNDLED / name for name in VENDOR}
    app.state.files = served = StaticFiles(files)

    @app.get("/static/locale/{language}.js", include_in_schema=False)
    def texts(language: str, request: Request) -> Response:
        if language not in LANGUAGES and language != MIRRORED:
            raise HTTPException(404, "There is no such language.")
        return answer_text(code_texts(language), request, MEDIA_TYPES[".js"], {})

    @app.get("/static/{name:path}", include_in_schema=False)
    def static(name: str, request: Request) -> Response:
        return served.answer(name, request)

    return served


def add_page(app: FastAPI, route: str, name: str) -> None:
    """Serve a page of `templates/` in the language of whoever asks."""

    @app.get(route, include_in_schema=False)
    def page(request: Request) -> Response:
        return page_for(request, name)


def page_for(request: Request, name: str) -> Response:
    """A page of `templates/` in the language of whoever asks."""
    language = language_of(request)
    headers = {"Content-Language": language, "Vary": "Accept-Language, Cookie"}
    page = page_in(name, language, in_school=getattr(request.app.state, "in_school", False))
    answer = answer_text(page, request, "text/html", headers)
    keep_choice(request, answer)
    return answer
