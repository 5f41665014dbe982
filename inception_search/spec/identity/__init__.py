"""Identity of architectures: the normal form of steps, the certificate of a network, and its hash."""
