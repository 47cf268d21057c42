"""What whoever runs the server sees of it: logs, metrics, traces, and whether it is alive and ready.

Nothing of it names a person, repeats an answer or shows a secret; a class is only ever told by its number. Its
endpoints are in `web.operations_api`.
"""

from classpulse.operations.operations import ClassWatch, Operations

__all__ = ["ClassWatch", "Operations"]
