"""Statistics of records: Pareto fronts, significance of differences, importance of decisions, rank correlation."""
