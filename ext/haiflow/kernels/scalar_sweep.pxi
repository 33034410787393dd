# Upwind exchange on any set of control volumes, implicit in time, solved by sweeps in the order of the flow.
#
#     diagonal_k c_k = right_k + h sum over inflows of flux c_upstream
#
# Where the numbering follows the flow (upstream first) the matrix is triangular and one sweep is the solution; what
# flows against the numbering (``late``) is taken from the sweep before, and sweeps go on until that changes nothing
# (Gauss-Seidel; the matrix is an M-matrix, so they converge).


cdef void sweep_once(
    double *c, const double *right, const double *inverse, const int *start, const int *upstream, const double *flux,
    double h, Py_ssize_t n, bint reverse,
) noexcept nogil:
    cdef Py_ssize_t m, k
    cdef int e
    cdef double total
    for m in range(n):
        k = n - 1 - m if reverse else m
        total = 0.0
        for e in range(start[k], start[k + 1]):
            total += flux[e] * c[upstream[e]]
        c[k] = (right[k] + h * total) * inverse[k]


cdef double still_missing(
    const double *c, const double *used, const double *inverse, const int *late, const int *row, const int *upstream,
    const double *flux, double h, Py_ssize_t n_late,
) noexcept nogil:
    """The largest change that the next sweep would make for what a late inflow has become since it was used."""
    cdef Py_ssize_t m
    cdef double change, most_change = 0.0
    for m in range(n_late):
        change = h * flux[late[m]] * (c[upstream[late[m]]] - used[m]) * inverse[row[m]]
        change = change if change > 0.0 else -change
        if not change <= most_change:  # also true for NaN
            most_change = change
    return most_change
