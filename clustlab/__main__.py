"""``python -m clustlab`` is the command line."""

from clustlab.cli import main

if __name__ == "__main__":
    main()
