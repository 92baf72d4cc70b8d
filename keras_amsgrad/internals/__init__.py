"""The private names of other packages that the library uses, a module for each package.

`tests/test_internals.py` says what depends on each name.
"""
