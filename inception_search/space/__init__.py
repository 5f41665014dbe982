"""Search spaces: network documents with holes, and the points of them."""
