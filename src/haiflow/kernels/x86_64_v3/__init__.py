"""Kernels for x86-64-v3 processors (AVX2, FMA)."""
