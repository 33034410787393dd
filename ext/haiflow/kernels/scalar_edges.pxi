# Drug on control volumes that meet in edges: implicit upwinding, and what flux correction gives back.
#
# The upwind step is bounded for any time step; fluxes of higher order are then added as far as no new extremum
# arises (Zalesak 1979, J Comput Phys 31:335; Kuzmin & Turek 2002, J Comput Phys 175:525). Several substances (n, q) at
# once; a flux is taken from one side and given to the other.


def upwind_matrix(
    double[::1] off, double[::1] diagonal, const double[::1] flux, const double[::1] diffusion,
    const int[:, ::1] ends, const int[:, ::1] slot,
):
    """``off`` (nnz,), ``diagonal`` (n,) m3/s; ``diffusion`` (e,) m3/s, taken as zero where it is negative."""
    cdef Py_ssize_t e, i, j
    cdef double out, into, k
    with nogil:
        for i in range(diagonal.shape[0]):
            diagonal[i] = 0.0
        for e in range(ends.shape[0]):
            i, j = ends[e, 0], ends[e, 1]
            k = diffusion[e] if diffusion[e] > 0.0 else 0.0
            out = (flux[e] if flux[e] > 0.0 else 0.0) + k
            into = (-flux[e] if flux[e] < 0.0 else 0.0) + k
            off[slot[e, 0]], off[slot[e, 1]] = -into, -out
            diagonal[i] += out
            diagonal[j] += into


def relax_rows(
    double[:, ::1] c, const double[::1] off, const double[::1] diagonal, const double[:, ::1] right,
    const int[::1] row, const int[::1] column,
):
    """One Gauss-Seidel pass forwards and one back; the change of the last is the measure of what is missing."""
    cdef Py_ssize_t i, n = diagonal.shape[0]
    with nogil:
        for i in range(n):
            relax_row(c, off, diagonal, right, row, column, i)
        for i in range(n - 1, -1, -1):
            relax_row(c, off, diagonal, right, row, column, i)


cdef inline void relax_row(
    double[:, ::1] c, const double[::1] off, const double[::1] diagonal, const double[:, ::1] right,
    const int[::1] row, const int[::1] column, Py_ssize_t i
) noexcept nogil:
    cdef Py_ssize_t k, s
    cdef double total
    for s in range(c.shape[1]):
        total = right[i, s]
        for k in range(row[i], row[i + 1]):
            total = total - off[k] * c[column[k], s]
        c[i, s] = total / diagonal[i]


def bounds(
    double[:, ::1] low, double[:, ::1] high, const double[:, ::1] c, const int[:, ::1] ends
):
    """``low``, ``high`` (n, q): extremes of ``c`` over each control volume and its neighbours."""
    cdef Py_ssize_t e, i, j, s
    cdef double a, b
    with nogil:
        for i in range(c.shape[0]):
            for s in range(c.shape[1]):
                low[i, s] = c[i, s]
                high[i, s] = c[i, s]
        for e in range(ends.shape[0]):
            i, j = ends[e, 0], ends[e, 1]
            for s in range(c.shape[1]):
                a, b = c[i, s], c[j, s]
                low[i, s] = b if b < low[i, s] else low[i, s]
                high[i, s] = b if b > high[i, s] else high[i, s]
                low[j, s] = a if a < low[j, s] else low[j, s]
                high[j, s] = a if a > high[j, s] else high[j, s]


def correction_fluxes(
    double[:, ::1] out, double[:, ::1] gain, double[:, ::1] loss, const double[:, ::1] middle,
    const double[:, ::1] upwind, const double[:, :, ::1] slope, const double[::1] flux, const int[:, ::1] ends,
    const double[:, ::1] points, double eta,
):
    """``out`` (e, q): flux of higher order less the upwind one, and its sums in and out by point.

    ``middle`` (n, q): the field in the middle of the step, ``slope`` its gradients. A face's value is
    ``(c_i + c_j) / 2 + eta (g_up . dx - (c_j - c_i))`` seen from the side that flows.
    """
    cdef Py_ssize_t e, i, s, q = out.shape[1]
    with nogil:
        for i in range(gain.shape[0]):
            for s in range(q):
                gain[i, s] = 0.0
                loss[i, s] = 0.0
        if q == 1:  # most catheters have one hole; the count known, the loop is a third faster
            for e in range(ends.shape[0]):
                correct_edge(out, gain, loss, middle, upwind, slope, flux, ends, points, eta, e, 1)
        else:
            for e in range(ends.shape[0]):
                correct_edge(out, gain, loss, middle, upwind, slope, flux, ends, points, eta, e, q)


cdef inline void correct_edge(
    double[:, ::1] out, double[:, ::1] gain, double[:, ::1] loss, const double[:, ::1] middle,
    const double[:, ::1] upwind, const double[:, :, ::1] slope, const double[::1] flux, const int[:, ::1] ends,
    const double[:, ::1] points, double eta, Py_ssize_t e, Py_ssize_t q
) noexcept nogil:
    cdef Py_ssize_t s, i = ends[e, 0], j = ends[e, 1]
    cdef double f = flux[e], a, b, face
    # Signs are as good as random to the processor: choices of values, never of ways.
    cdef Py_ssize_t up = i if f > 0.0 else j
    cdef double sign = eta if f > 0.0 else -eta
    cdef double dx = points[j, 0] - points[i, 0], dy = points[j, 1] - points[i, 1], dz = points[j, 2] - points[i, 2]
    for s in range(q):
        a = slope[up, s, 0] * dx + slope[up, s, 1] * dy + slope[up, s, 2] * dz
        face = 0.5 * (middle[i, s] + middle[j, s]) + sign * (a - middle[j, s] + middle[i, s])
        a = f * (face - upwind[up, s])
        out[e, s] = a
        b = 0.5 * (a + fabs(a))
        a = a - b
        loss[i, s] += b
        gain[j, s] += b
        gain[i, s] -= a
        loss[j, s] -= a


def upwind_step(
    double[:, ::1] out, const double[:, ::1] c, const double[:, ::1] inflow, const double[::1] flux,
    const double[::1] boundary_flux, const double[::1] diffusion, const double[::1] room, const int[:, ::1] ends,
):
    """``out`` (n, q): one explicit upwind step, bounded while no more leaves a control volume than it holds."""
    cdef Py_ssize_t e, i, j, s, q = out.shape[1]
    cdef double f, k, a
    with nogil:
        for i in range(out.shape[0]):
            f = boundary_flux[i] if boundary_flux[i] > 0.0 else 0.0
            for s in range(q):
                out[i, s] = (room[i] - f) * c[i, s] + inflow[i, s]
        for e in range(ends.shape[0]):
            i, j, f = ends[e, 0], ends[e, 1], flux[e]
            k = diffusion[e] if diffusion[e] > 0.0 else 0.0
            for s in range(q):
                a = f * (c[i, s] if f > 0.0 else c[j, s]) + k * (c[i, s] - c[j, s])
                out[i, s] -= a
                out[j, s] += a
        for i in range(out.shape[0]):
            for s in range(q):
                out[i, s] /= room[i]


def limit_shares(
    double[:, ::1] gain, double[:, ::1] loss, const double[:, ::1] c, const double[:, ::1] low,
    const double[:, ::1] high, const double[::1] room,
):
    """Turn sums into the shares that keep ``c`` within its bounds; ``room`` (n,) m3/s: control volume over step."""
    cdef Py_ssize_t i, s
    cdef double up, down
    with nogil:
        for i in range(c.shape[0]):
            for s in range(c.shape[1]):
                up, down = room[i] * (high[i, s] - c[i, s]), room[i] * (c[i, s] - low[i, s])
                gain[i, s] = 1.0 if gain[i, s] <= up else up / gain[i, s]
                loss[i, s] = 1.0 if loss[i, s] <= down else down / loss[i, s]


def limit_fluxes(
    double[:, ::1] out, double[:, ::1] correction, const double[:, ::1] gain, const double[:, ::1] loss,
    const int[:, ::1] ends,
):
    """Cut each ``correction`` to the share that both sides allow; ``out`` (n, q): what then leaves each point."""
    cdef Py_ssize_t e, i, j, s
    cdef double a, share, other
    with nogil:
        for i in range(out.shape[0]):
            for s in range(out.shape[1]):
                out[i, s] = 0.0
        for e in range(ends.shape[0]):
            i, j = ends[e, 0], ends[e, 1]
            for s in range(out.shape[1]):
                a = correction[e, s]
                share = loss[i, s] if a > 0.0 else gain[i, s]
                other = gain[j, s] if a > 0.0 else loss[j, s]
                a *= share if share < other else other
                correction[e, s] = a
                out[i, s] += a
                out[j, s] -= a
