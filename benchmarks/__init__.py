"""Every figure that haiflow promises, measured: what was asked, what is reached. Run with ``python -m benchmarks``."""
