"""The final trainings of a study: which networks, how, what came of them, and the table of it."""
