"""Where frames come from: a camera, a file, a folder, a stream, a screen, or the built-in demo class.

`opening` says what an argument means; `latest` and `recorded` are how anything live and anything recorded is played;
`demo*` make the demo, `*_windows` list a desktop's windows. Students' own devices are no source: see `joining`.
"""

from classpulse.sources.base import Health, Opened, Source
from classpulse.sources.opening import SourceKind, describe, list_webcams, open_source
from classpulse.sources.presence import require_present

__all__ = ["Health", "Opened", "Source", "SourceKind", "describe", "list_webcams", "open_source", "require_present"]
