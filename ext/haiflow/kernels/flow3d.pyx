# Incompressible momentum and projection on the median dual of tetrahedra; volume fluxes live on the edges.
#
# The unknowns u (m/s) and p (m2/s2, pressure over density) lie at the points. Edge e joins points i = ends[e, 0] and
# j = ends[e, 1]; its dual face has the area vector S (from i to j) and carries the volume flux F (m3/s, from i to j).
#
#   convection   F (u_i + u_j) / 2 - eta |F| (u_j - u_i) + eta |F| g_up . (x_j - x_i)
#                (the kappa family of Van Leer 1985, Lect Appl Math 22:327, eta = (1 - kappa) / 2: third differences
#                damp, the rest is central); the first two terms are implicit, the last one is known
#   viscosity    k (u_i - u_j), the linear finite element's, per cell viscosity
#   projection   F = F* - tau s . grad(phi) gathered cell by cell, so that the flux is consistent on every face and its
#                sum is the linear finite element's Laplacian (Chorin 1968, Math Comp 22:745; the fluxes, not the
#                velocities, are free of divergence to the solver's tolerance)
#   damping      tau_rc (mean grad p . S - s . grad p), which ties neighbouring pressures (Rhie & Chow 1983, AIAA J
#                21:1525)
#
# Rows of the momentum matrix sum to zero apart from the time term: a uniform velocity stays uniform.

from libc.math cimport fabs, pow, sqrt

include "flow3d_gradients.pxi"
include "flow3d_momentum.pxi"
include "flow3d_pressure.pxi"
include "flow3d_viscosity.pxi"
