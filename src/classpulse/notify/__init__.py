"""Telling the teacher outside the page: on the desktop, and by a signed webhook.

When there is something to tell is decided in `insight.alerts`, and when it is told by `watching`.
"""

from classpulse.notify.notifier import Notifier, Told
from classpulse.notify.webhook import Message, Webhook

__all__ = ["Message", "Notifier", "Told", "Webhook"]
