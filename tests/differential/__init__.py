"""Real files of real packages, as livetable prints them and as other readers read them.

`python -m tests.differential`, or `make differential`; the packages are in the `differential`
extra. The readers of livetable are not used here but through the command line.
"""
