"""`classpulse data explore`: a page that shows a set of faces."""
