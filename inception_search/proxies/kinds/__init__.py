"""One file a proxy; each is a function of a :class:`~inception_search.proxies.probe.Probe`."""
