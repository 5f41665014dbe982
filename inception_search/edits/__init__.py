"""Edits of networks: named, reversible, and always leading to valid documents; mutation and crossover use them."""
