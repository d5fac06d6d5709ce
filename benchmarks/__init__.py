"""What a request costs: CPU per request as a ratio to a raw floor in the same run, start-up time, memory growth.

Run from the root of the repository: ``python -m benchmarks`` (see README.md beside this file).
"""
