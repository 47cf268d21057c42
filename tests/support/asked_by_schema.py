"""Everything that an API's own description says it takes, asked by schemathesis.

Its tests import this when they run: it takes seconds, which every worker would spend, whichever tests it is given.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Collection

HERE = {"Host": "127.0.0.1"}
QUIETLY = settings(deadline=None, database=None, phases=[Phase.generate], suppress_health_check=list(HealthCheck))
CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]


def what_is_wrong(
    app: Any, examples: int, ask: Callable[[Any], None], *, never: Collection[str] = frozenset()
) -> list[str]:
    """Have each operation asked with so many examples; returns what went wrong, a text for each operation.

    Args:
        app: the ASGI application.
        examples: how many of each operation; their seed, too.
        ask: takes schemathesis's case, asks, and looks at the answer (`check`).
        never: paths that are not asked.
    """
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app, headers=HERE)
    wrong = []
    for result in schema.get_all_operations():
        operation: Any = result.ok()  # type: ignore[union-attr]
        if operation.path in never:
            continue

        @seed(examples)
        @settings(QUIETLY, max_examples=examples)
        @given(case=operation.as_strategy())
        def each(case: Any) -> None:
            ask(case)

        try:
            each()
        except (Exception, BaseExceptionGroup) as error:  # noqa: BLE001 - told of all operations together
            wrong.append(f"{operation.label}: {error}"[:600])
    return wrong


def check(case: Any, answer: Any) -> None:
    """Whether an answer is one that the description tells of; raises what is wrong with it."""
    case.validate_response(answer, checks=CHECKS)
