"""Benchmarks: ways to sample the same posterior, the kernel against its limit, and item engines.

Nothing is imported here, so that a measuring process imports only what it measures.
"""
