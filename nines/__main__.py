"""`python -P -m nines`: the same as the console script."""

from nines.cli import main

main()
