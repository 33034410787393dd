# The viscous part of the wall's pressure, wall / (A0 s) A_t, with the cells' own A_t: what passes their faces.
#
# Where no volume changes, in steady flow, it is exactly nothing, whatever friction and limiter make of the cells' flow
# rates. A cell of rate A_t has pressure W (left - right), W = wall / (A0 s dx); a face has the mean of its two cells',
# the end of a vessel that of the line through its last two. In the flow rate this is a stiff diffusion
#
#   Q_t = ... + (A / rho) (wall / (A0 s) Q_x)_x
#
# so Heun's two stages are those of a Rosenbrock-W method (Verwer et al 1999, SIAM J Sci Comput 20:1456), with t the
# rates of change of the flow rate, times dt, and J what they do to themselves by the wall:
#
#   (1 - g dt J) d1 = t(state),   (1 - g dt J) d2 = t(state + d1) - 2 d1,   change = 3/2 d1 + 1/2 d2
#
# Of second order with any J, and Heun's method itself where J is 0, as it is for the areas: so J may be that of the
# network at zero pressure, factorised once. What the areas do to the flow rates (`soft`: g dt dp/dA / dx, in the place
# of W) has its row in J too, and so have inlets and capacitors: without it a strong wall's flow would follow its
# pressure late by half a step. J spans the network, for a short vessel's ends answer each other at once:
# cells are eliminated first (one tridiagonal system a vessel), then the ends, then a head for each node.

from libc.math cimport sqrt


cdef inline double cell_pressure(in_t area, in_t wall, double left, double right, int j) noexcept nogil:
    # Viscous part in a cell between fluxes.
    return wall[j] / sqrt(area[j]) * (left - right)


cdef void swelling(
    out_t pressure, in_t area, in_t mass, in_t moved, in_t wall, in_t soft, int n,
) noexcept nogil:
    # (n) what rises in the cells with what passes their n + 1 faces: by `wall` with mass, by `soft` with moved.
    cdef int j
    for j in range(n):
        pressure[j] = (wall[j] * (mass[j] - mass[j + 1]) + soft[j] * (moved[j] - moved[j + 1])) / sqrt(area[j])


cdef void push_apart(out_t change, in_t pressure, in_t area, in_t dtdx, double rho, int n) noexcept nogil:
    # What that does to the flow rates of a vessel: faces have the mean, ends the line through the last two cells.
    cdef int j
    cdef double half = 0.5 / rho, end = half if n < 3 else 1.0 / rho
    for j in range(1, n - 1):
        change[j] -= half * dtdx[j] * area[j] * (pressure[j + 1] - pressure[j - 1])
    if n > 1:
        change[0] -= end * dtdx[0] * area[0] * (pressure[1] - pressure[0])
        change[n - 1] -= end * dtdx[n - 1] * area[n - 1] * (pressure[n - 1] - pressure[n - 2])


cdef inline double soft_end(in_t area, in_t moved, in_t soft, int j, int k, int n) noexcept nogil:
    # What rises by `soft` at the end of a vessel of n cells, j being the last there and k the one before it.
    cdef double here = cell_pressure(area, soft, moved[j], moved[j + 1], j)
    return here if n < 3 else 1.5 * here - 0.5 * cell_pressure(area, soft, moved[k], moved[k + 1], k)


cdef void relax(out_t change, in_t inertia, in_t off, in_t pivot, int n) noexcept nogil:
    # (1 - g dt J) of a vessel's cells with no flow through its ends, factorised as L D L^T.
    cdef int j
    change[0] *= inertia[0]
    for j in range(1, n):
        change[j] = inertia[j] * change[j] - off[j - 1] * change[j - 1]
    change[n - 1] *= pivot[n - 1]
    for j in range(n - 2, -1, -1):
        change[j] = change[j] * pivot[j] - off[j] * change[j + 1]


cdef inline void wall_end(
    End *end, in_t area, in_t wall, double face, double inner, int j, int k, bint line,
) noexcept nogil:
    # What the node sees of the wall: resist (f_in - f). face, inner: flux towards the node through the end cell's inner
    # face and the next one; j, k: the end cell and the one before it. Two cells alone have no line: they share a face.
    cdef double own = wall[j] / sqrt(area[j])
    end.resist = 1.5 * own if line else own
    end.f_in = face
    if line and own > 0.0:
        end.f_in -= 0.5 * wall[k] / sqrt(area[k]) * (inner - face) / end.resist
