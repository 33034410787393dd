"""Do the tests see a defect? Fifty are sown, one at a time, into a copy of the tree, and the tests are run on it.

``python -m mutants`` takes some hours on two cores; ``python -m mutants NAME ...`` those named, ``--list`` shows them.
What survives is either a test that is missing or no defect at all; docs/validation.md says which.
"""
