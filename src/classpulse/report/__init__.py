"""What a teacher reads after a class: one page, in a minute; and the same as PDF, CSV and JSON."""
