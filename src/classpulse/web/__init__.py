"""The live page: one small ASGI application, its stream of events, and the server that carries it."""
