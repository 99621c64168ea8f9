"""Benchmarks: ratios against plain git in the same run. `make bench`, or `python -m tests.benchmarks NAME...`."""
