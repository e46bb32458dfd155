"""Log-likelihoods with their gradients, in one pass over the data."""
