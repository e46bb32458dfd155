"""The graph of a model as one numba function of plain loops.

PyTensor makes a numba function of every operation of a graph. Numba types and lowers each of them
in Python, 178 for the hierarchical model, which takes most of the time of a first compilation. Here
the whole graph is the source of one function: a loop for each elementwise operation, sums in the
loop that makes what they add, indices and new axes without code of their own. What has no loop form
is called as PyTensor compiles it.
"""

from tallgrass.inference.loops.function import compiled_loops, require_loops, source_key
from tallgrass.inference.loops.program import NotLoopsError

__all__ = ["NotLoopsError", "compiled_loops", "require_loops", "source_key"]
