"""Files for other runtimes, checked in their own runtime before they get their name."""
