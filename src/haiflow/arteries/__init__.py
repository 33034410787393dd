"""The arterial network: tree, tube law, outlets, one-dimensional pulsatile flow, drug transport."""
