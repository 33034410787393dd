# The viscous part of the wall's pressure, wall / (A0 s) A_t, which with A_t = -Q_x is a diffusion of flow rate:
#
#   Q_t = (A / rho) (wall / (A0 s) Q_x)_x
#
# Half a step before and after the rest (Strang splitting), each by Crank-Nicolson with the flow rate given at both ends
# of a vessel: one tridiagonal system a vessel (Thomas).

from libc.math cimport sqrt


cdef void wall_rows(
    out_t right_side, out_t upper_row, in_t flow, in_t area, in_t wall_cell, in_t wall_face,
    double flow_start, double flow_end, int first, int last,
) noexcept nogil:
    # Rows of one vessel with the lower diagonal eliminated.
    cdef int j
    cdef double left, right, factor, pivot, before, after
    right = 2.0 * wall_face[first] / sqrt(area[first])
    before = flow_start
    for j in range(first, last + 1):
        left = right
        if j < last:
            right = 2.0 * wall_face[j + 1] / (sqrt(area[j]) + sqrt(area[j + 1]))
            after = flow[j + 1]
        else:
            right = 2.0 * wall_face[j + 1] / sqrt(area[j])
            after = flow_end
        factor = wall_cell[j] * area[j]
        right_side[j] = flow[j] + factor * (right * (after - flow[j]) - left * (flow[j] - before))
        pivot = 1.0 + factor * (left + right)
        before = flow[j]
        if j > first:
            pivot -= factor * left * upper_row[j - 1]
            right_side[j] += factor * left * right_side[j - 1]
        else:
            right_side[j] += factor * left * flow_start
        if j == last:
            right_side[j] += factor * right * flow_end
        right_side[j] /= pivot
        upper_row[j] = factor * right / pivot


cdef void viscous_wall(
    out_t flow, in_t area, double first_flow, double last_flow, in_t wall_cell, in_t wall_face, out_t upper_row,
    out_t right_side, int n,
) noexcept nogil:
    # One vessel of n cells. wall_cell = dt / (4 rho dx), wall_face = wall / (A0 dx).
    cdef int j
    wall_rows(right_side, upper_row, flow, area, wall_cell, wall_face, first_flow, last_flow, 0, n - 1)
    flow[n - 1] = right_side[n - 1]
    for j in range(n - 2, -1, -1):
        flow[j] = right_side[j] + upper_row[j] * flow[j + 1]
