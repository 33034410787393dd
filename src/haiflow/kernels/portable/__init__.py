"""Kernels that run on any processor."""
