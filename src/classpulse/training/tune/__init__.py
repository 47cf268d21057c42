"""`classpulse tune`: a search for good settings."""
