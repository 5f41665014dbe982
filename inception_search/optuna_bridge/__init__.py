"""The code that uses Optuna: its samplers as strategies, a study as an Optuna study, optuna-dashboard."""
