"""`python -m operations`: the `berbagi` command where its script is not on the path."""

from operations.cli import main

main()
