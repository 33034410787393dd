"""From ``sweep:`` to variants: axes, distributions, and each variant as a scenario of its own."""
