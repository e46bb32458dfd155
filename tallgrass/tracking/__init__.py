"""MLflow and the process: what is written, what is read back, and how a run lives and dies."""
