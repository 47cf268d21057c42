"""Finding, following, recognising and reading faces: each stage one class with one verb.

What a stage remembers of one class is in its instance. Model files are opened by `inference`, the order of the stages
is in `pipeline`, and what the faces mean together in `insight`.
"""
