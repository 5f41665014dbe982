"""What is known of a network before it is trained: its measures, budgets on them, and points within a budget."""
