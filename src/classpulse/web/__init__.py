"""The pages and the API: one ASGI application for a class (`app`), one for a school (`school_app`), and their server.

`*_api` are endpoints, `*_schema` their JSON; `templates/` are the pages, `static/` what they load. Nothing is decided
here about a class: what a button does is in `runner`, `school` and `storage`, what is shown in `insight.disclosure`.
"""
