"""Small networks for the tests of edits."""

from __future__ import annotations

from inception_search.spec.documents.parse import parse_network
from inception_search.spec.network import Network
from inception_search.spec.transform import remake
from tests.generators import networks

HEAD = "schema: inception-search/network\nversion: 1\nname: n\n"


def net(stages: str, **more: str) -> Network:
    """A network of one stage ``a``, or of the stages that a text with that word at its beginning gives."""
    body = stages.removeprefix("stages ") if stages.startswith("stages ") else "{a: " + stages + "}"
    parts = {"input": "8x9x9", "head": "{classes: 3}", **more}
    return parse_network(HEAD + "".join(f"{name}: {value}\n" for name, value in parts.items()) + f"stages: {body}\n")


# Edits leave the source alone; what text does to its characters is tested where text is.
documents = networks().map(lambda network: remake(network, source=""))
