"""``python -m mizzen``: the command line."""

from mizzen.cli.main import main

if __name__ == "__main__":
    main()
