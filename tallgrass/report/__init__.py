"""A page of any run: its parts, words, verdict table, sampler and convergence sections."""
