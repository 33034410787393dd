# The momentum matrix (one for the three components), what is known beside it, and the loops of its solution.


def momentum_matrix(
    double[::1] off, double[::1] diagonal, double[::1] bold, double[::1] strong, double[::1] rate,
    const double[::1] flux, const double[::1] friction, const int[:, ::1] ends, const int[:, ::1] slot, double eta,
):
    """``off`` (nnz,) and ``diagonal`` (n,) m3/s: convection and viscosity, without time and boundary terms.

    ``bold`` (nnz,), ``strong`` (n,): the same with full upwinding, diagonally dominant: the preconditioner.
    ``rate`` (n,) m3/s: what passes through and rubs at each control volume, given velocity or not.
    """
    cdef Py_ssize_t e, i, j, n = diagonal.shape[0], edges = ends.shape[0]
    cdef double f, a, k, kk, up, down
    with nogil:
        for i in range(n):
            diagonal[i] = 0.0
            strong[i] = 0.0
            rate[i] = 0.0
        for e in range(edges):
            i, j = ends[e, 0], ends[e, 1]
            f, k = 0.5 * flux[e], friction[e]
            a = fabs(f)
            up, down = f - 2.0 * eta * a - k, -f - 2.0 * eta * a - k
            off[slot[e, 0]], off[slot[e, 1]] = up, down
            diagonal[i] -= up
            diagonal[j] -= down
            kk = k if k > 0.0 else 0.0
            up, down = f - a - kk, -f - a - kk
            bold[slot[e, 0]], bold[slot[e, 1]] = up, down
            strong[i] -= up
            strong[j] -= down
            rate[i] += a + kk
            rate[j] += a + kk


def convection_rest(
    double[:, ::1] out, const double[:, :, ::1] gradient, const double[::1] flux, const int[:, ::1] ends,
    const double[:, ::1] points, double eta,
):
    """Take the known part of convection, ``eta |F| g_up . dx``, from the right-hand side ``out`` (n, 3)."""
    cdef Py_ssize_t e, i, j, c, edges = ends.shape[0]
    cdef double a, dx, dy, dz, w
    cdef const double *g
    with nogil:
        for e in range(edges):
            i, j = ends[e, 0], ends[e, 1]
            a = eta * fabs(flux[e])
            dx, dy, dz = points[j, 0] - points[i, 0], points[j, 1] - points[i, 1], points[j, 2] - points[i, 2]
            g = &gradient[i, 0, 0] if flux[e] > 0.0 else &gradient[j, 0, 0]
            for c in range(3):
                w = a * (g[3 * c] * dx + g[3 * c + 1] * dy + g[3 * c + 2] * dz)
                out[i, c] -= w
                out[j, c] += w


def apply(
    double[:, ::1] out, const double[::1] off, const double[::1] diagonal, const double[:, ::1] x,
    const int[::1] row, const int[::1] column, const double[:, ::1] free,
):
    """``out = free (A x)`` for three components at once."""
    cdef Py_ssize_t i, k, j, n = diagonal.shape[0]
    cdef double a, b, c, v
    with nogil:
        for i in range(n):
            v = diagonal[i]
            a, b, c = v * x[i, 0], v * x[i, 1], v * x[i, 2]
            for k in range(row[i], row[i + 1]):
                j, v = column[k], off[k]
                a = a + v * x[j, 0]
                b = b + v * x[j, 1]
                c = c + v * x[j, 2]
            out[i, 0], out[i, 1], out[i, 2] = free[i, 0] * a, free[i, 1] * b, free[i, 2] * c


def smooth(
    double[:, ::1] x, const double[::1] off, const double[::1] inverse, const double[:, ::1] b,
    const int[::1] row, const int[::1] column, const double[:, ::1] free, int sweeps,
):
    """Symmetric Gauss-Seidel sweeps from zero for ``A x = b``; ``inverse`` (n,) of the diagonal."""
    cdef Py_ssize_t i, n = inverse.shape[0]
    cdef int s
    with nogil:
        # From zero, the first pass forwards needs only what it has already set.
        for i in range(n):
            relax(x, off, inverse[i], b, row[i], row[i + 1], column, free, i, i)
        for i in range(n - 1, -1, -1):
            relax(x, off, inverse[i], b, row[i], row[i + 1], column, free, i, n)
        for s in range(1, sweeps):
            for i in range(n):
                relax(x, off, inverse[i], b, row[i], row[i + 1], column, free, i, n)
            for i in range(n - 1, -1, -1):
                relax(x, off, inverse[i], b, row[i], row[i + 1], column, free, i, n)


cdef inline void relax(
    double[:, ::1] x, const double[::1] off, double inverse, const double[:, ::1] right, Py_ssize_t first,
    Py_ssize_t last, const int[::1] column, const double[:, ::1] free, Py_ssize_t i, Py_ssize_t known,
) noexcept nogil:
    cdef double a = right[i, 0], b = right[i, 1], c = right[i, 2], v
    cdef Py_ssize_t k, j
    for k in range(first, last):
        j, v = column[k], off[k]
        if j >= known:
            break
        a = a - v * x[j, 0]
        b = b - v * x[j, 1]
        c = c - v * x[j, 2]
    x[i, 0], x[i, 1], x[i, 2] = free[i, 0] * inverse * a, free[i, 1] * inverse * b, free[i, 2] * inverse * c
