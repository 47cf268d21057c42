"""`classpulse evaluate`: how good a model is, and where not."""
