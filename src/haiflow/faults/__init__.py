"""Faults as functions: a part in, an altered part out; nothing changes in place."""
