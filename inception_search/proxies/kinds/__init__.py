"""The proxies, one file each: functions of a :class:`~inception_search.proxies.probe.Probe`."""
