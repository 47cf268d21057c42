"""What is kept of a class, its people and its logins: numbers and words in a database, and never an image.

`store` is asked first: it hands out the rest. `*tables` say what a row holds, `people` and `vault` keep what is sealed,
`recorder` writes while a class runs, `housekeeping` deletes. The only package that knows SQLAlchemy.
"""
