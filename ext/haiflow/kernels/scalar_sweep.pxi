# Upwind exchange on any set of control volumes, implicit in time, solved by sweeps in the order of the flow.
#
#     diagonal_k c_k = right_k + h sum over inflows of flux c_upstream
#
# Where the numbering follows the flow (upstream first) the matrix is triangular and one sweep is the solution; what
# flows against the numbering is taken from the sweep before, and sweeps go on until nothing changes (Gauss-Seidel; the
# matrix is an M-matrix, so they converge).


cdef double sweep_once(
    double *c, const double *right, const double *diagonal, const int *start, const int *upstream, const double *flux,
    double h, Py_ssize_t n, bint reverse,
) noexcept nogil:
    """One sweep; the largest change of any c."""
    cdef Py_ssize_t m, k
    cdef int e
    cdef double total, new, change = 0.0
    for m in range(n):
        k = n - 1 - m if reverse else m
        total = 0.0
        for e in range(start[k], start[k + 1]):
            total += flux[e] * c[upstream[e]]
        new = (right[k] + h * total) / diagonal[k]
        if not (new - c[k] <= change and c[k] - new <= change):  # also true for NaN
            change = new - c[k] if new > c[k] else c[k] - new
        c[k] = new
    return change
