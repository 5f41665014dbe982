"""Pictures of what differs between two networks, and of the edits from one to another."""
