"""The command line: a module for each command, and the only package that prints.

`entry` puts the commands together; `options` and `access` hold what several of them take; `terminal` and the `*_views`
are what they show. What a command does is not here: everything heavy is imported inside the commands, so that
`classpulse --help` answers at once.
"""

from classpulse.cli.entry import cli, main

__all__ = ["cli", "main"]
