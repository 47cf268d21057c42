"""Faces with their labels: FER-2013 as arrays, the files it comes in, and what comes twice in it."""
