"""`python -m classpulse` is the command `classpulse`."""

from classpulse.cli import main

if __name__ == "__main__":
    main()
