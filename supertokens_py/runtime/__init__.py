"""How the package runs: blocking and async callers, worker threads, forks, the clock."""
