"""Telling the teacher outside the page: on the desktop, and by a signed webhook."""

from classpulse.notify.notifier import Notifier, Told
from classpulse.notify.webhook import Message, Webhook

__all__ = ["Message", "Notifier", "Told", "Webhook"]
