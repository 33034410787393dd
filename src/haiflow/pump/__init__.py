"""The implanted pump: reservoir, gas or peristaltic drive, side port, dose and accuracy."""
