"""Are two networks the same architecture? The normal form of steps, a certificate of the whole, its hash."""
