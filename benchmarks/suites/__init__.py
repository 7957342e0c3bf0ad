"""The suites that `benchmarks/run` offers; each has a `run(options)` that returns a `Report`."""
