"""`classpulse export`: from a run to a model file that the live page opens."""
