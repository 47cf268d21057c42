"""Students who take part by link, from their own devices: who is in, what they say, and what is read of them.

`room` is asked first. The page, its endpoints and its WebSocket are in `web`; what the class makes of the answers is
in `insight.answers`, and what is stored of them in `storage.moments`.
"""
