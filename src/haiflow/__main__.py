"""``python -m haiflow`` is the command ``haiflow``."""

from haiflow.cli import main

if __name__ == "__main__":
    main()
