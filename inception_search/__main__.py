"""``python -m inception_search``: the command line."""

from inception_search.cli.main import run

run()
