"""What is kept of a class: numbers and words in a database, and never an image."""
