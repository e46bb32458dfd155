"""A user's own model, or draws from anywhere, as a run with everything that a run has."""
