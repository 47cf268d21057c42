"""Finding, following and reading faces: each stage one class with one verb."""
