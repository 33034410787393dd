"""The rest of the body: two-compartment kinetics, off-target beds, exposure, and dose rules."""
