"""The final trainings of a study: the selected networks, the trainings, their results and the table."""
