"""`classpulse data check`: whether a set of faces can be trained on."""
