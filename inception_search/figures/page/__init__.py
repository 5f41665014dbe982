"""The interactive page of a network or study: one HTML file made from the scripts in this folder."""
