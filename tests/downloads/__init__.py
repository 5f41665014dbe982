"""Downloads, from a server on loopback that misbehaves as asked."""
