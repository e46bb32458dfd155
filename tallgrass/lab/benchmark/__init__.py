"""How fast: ways to sample the same posterior side by side, and the kernel beside its limit.

Nothing is imported here: the processes that measure import what they measure, and no more.
"""
