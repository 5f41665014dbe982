"""The interactive page of a network or study: one HTML file; its scripts are beside this file."""
