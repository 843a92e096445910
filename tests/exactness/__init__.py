"""A random attack on real server processes, and what must be exact when it is over.

Operations, faults and invariants are tables of functions; a seed picks from them. The suite runs
short seeds; `python -m benchmarks.exactness` runs for as long as you like.
"""
