# One explicit step along one channel of n cells: face i lies left of cell i, face n right of the last.
#
# MUSCL-Hancock (van Leer 1984, SIAM J Sci Stat Comput 5:1), with the new volumes V' = V - dt (F_right - F_left) +
# dt (source). The lumen and each vessel of a network go through the same passes.

from libc.math cimport fabs


cdef inline double given_away(double flow_left, double flow_right, double drained) noexcept nogil:
    """Rate at which a cell gives liquid away through both faces and otherwise."""
    return most(flow_right, 0.0) + most(-flow_left, 0.0) + drained


cdef void upwind_weights(double* w, const double* flow, const double* volume, double dt, int n) noexcept nogil:
    """(1 - |F| dt / V_up) / 2 with the sign of the flow, at each face of a channel; an end takes its own cell."""
    cdef int i, up
    cdef double half
    for i in range(n + 1):
        up = i - 1 if (flow[i] > 0.0 and i > 0) or i == n else i
        half = 0.5 * (1.0 - fabs(flow[i]) * dt / volume[up])
        w[i] = half if flow[i] > 0.0 else -half


cdef void inner_faces(double* face, const double* c, const double* s, const double* w, const double* flow,
                      int n) noexcept nogil:
    cdef int i
    for i in range(1, n):
        face[i] = c[i - 1] + w[i] * s[i - 1] if flow[i] > 0.0 else c[i] + w[i] * s[i]


cdef void carry(double* c, const double* face, const double* flow, const double* rate, const double* gained,
                int n) noexcept nogil:
    """c - dt / V' [F_right (c_right - c) - F_left (c_left - c)] + gained; rate is dt / V'."""
    cdef int i
    for i in range(n):
        c[i] -= rate[i] * (flow[i + 1] * (face[i + 1] - c[i]) - flow[i] * (face[i] - c[i]))
    for i in range(n):
        c[i] += gained[i]


cdef void new_volumes(double* new, double* rate, const double* volume, const double* flow, const double* source,
                      double dt, int n) noexcept nogil:
    """V' and dt / V'."""
    cdef int i
    for i in range(n):
        new[i] = volume[i] - dt * (flow[i + 1] - flow[i]) + dt * source[i]
        rate[i] = dt / new[i]
