"""Benchmarks beside peers, run by hand or in CI; never imported by the application."""
