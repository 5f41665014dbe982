"""Zero-cost proxies: scores of a network with initial weights that predict how well it will train.

Start at :func:`inception_search.proxies.score.score`; the names are in :mod:`inception_search.proxies.table`, which
imports no torch. A new proxy is a file in ``kinds`` and a row in the table.
"""
