"""Edits of networks: each named, reversible and closed over valid documents; mutation and crossover from them."""
