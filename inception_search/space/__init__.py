"""Search spaces: network documents with holes, and their points."""
