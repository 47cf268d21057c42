"""Telling the teacher outside the page: on the desktop, and by a signed webhook."""

from classpulse.notify.notifier import Notifier, Told
from classpulse.notify.webhook import Webhook

__all__ = ["Notifier", "Told", "Webhook"]
