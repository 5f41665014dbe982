"""Runs trials in processes, here or on other machines: each job is a JSON file, each result another."""
