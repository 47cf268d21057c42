"""Where frames come from: a camera, a file, a folder, a stream, or the built-in demo class."""

from classpulse.sources.base import Health, Opened, Source
from classpulse.sources.opening import SourceKind, describe, list_webcams, open_source
from classpulse.sources.presence import require_present

__all__ = ["Health", "Opened", "Source", "SourceKind", "describe", "list_webcams", "open_source", "require_present"]
