"""Any PyMC model -> draws -> diagnostics. Nothing here knows votes, responses or MLflow."""
