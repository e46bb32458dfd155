"""One tracked run of any kind, from a graph to a finished MLflow run."""
