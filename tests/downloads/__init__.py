"""Downloads, from a server on loopback that fails in the ways that a test sets."""
