"""Tetrahedral meshes: read, checked, measured; the standard liver. A mesh knows no solver."""
