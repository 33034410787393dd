# Fluxes through the dual faces: of a velocity, of a pressure's gradient, and what they leave in a control volume.


def velocity_fluxes(
    double[::1] flux, const double[:, ::1] velocity, const int[:, ::1] ends, const double[:, ::1] area
):
    """``flux`` (e,) m3/s of the mean of both ends."""
    cdef Py_ssize_t e, i, j, edges = ends.shape[0]
    with nogil:
        for e in range(edges):
            i, j = ends[e, 0], ends[e, 1]
            flux[e] = 0.5 * (
                (velocity[i, 0] + velocity[j, 0]) * area[e, 0] + (velocity[i, 1] + velocity[j, 1]) * area[e, 1]
                + (velocity[i, 2] + velocity[j, 2]) * area[e, 2]
            )


def gradient_fluxes(
    double[::1] flux, const double[::1] p, const double[::1] weight, const int[:, ::1] tetra,
    const int[:, ::1] tetra_edge, const double[:, :, ::1] shape, const double[::1] volume,
):
    """``flux`` (e,): ``weight grad(p) . s`` over the pieces of each dual face; ``shape`` (m, 4, 3) gradients of lambda.

    The piece of a dual face in a cell is ``s_ij = volume (grad lambda_j - grad lambda_i) / 4``.
    """
    cdef Py_ssize_t k, e, m = tetra.shape[0]
    cdef double gx, gy, gz, w
    cdef double d[4]
    cdef int c
    with nogil:
        for e in range(flux.shape[0]):
            flux[e] = 0.0
        for k in range(m):
            gx = gy = gz = 0.0
            for c in range(4):
                w = p[tetra[k, c]]
                gx = gx + w * shape[k, c, 0]
                gy = gy + w * shape[k, c, 1]
                gz = gz + w * shape[k, c, 2]
            w = 0.25 * volume[k] * weight[k]
            for c in range(4):
                d[c] = w * (gx * shape[k, c, 0] + gy * shape[k, c, 1] + gz * shape[k, c, 2])
            add_pair(flux, tetra_edge[k, 0], tetra[k, 0], tetra[k, 1], d[0], d[1])
            add_pair(flux, tetra_edge[k, 1], tetra[k, 0], tetra[k, 2], d[0], d[2])
            add_pair(flux, tetra_edge[k, 2], tetra[k, 0], tetra[k, 3], d[0], d[3])
            add_pair(flux, tetra_edge[k, 3], tetra[k, 1], tetra[k, 2], d[1], d[2])
            add_pair(flux, tetra_edge[k, 4], tetra[k, 1], tetra[k, 3], d[1], d[3])
            add_pair(flux, tetra_edge[k, 5], tetra[k, 2], tetra[k, 3], d[2], d[3])


cdef inline void add_pair(double[::1] flux, Py_ssize_t e, int a, int b, double da, double db) noexcept nogil:
    # Every edge points from its lower to its higher point.
    flux[e] += db - da if a < b else da - db


def add_damping(
    double[::1] flux, const double[:, ::1] slope, const double[::1] direct, const double[::1] tau,
    const int[:, ::1] ends, const double[:, ::1] area,
):
    """Add ``tau (mean slope . S - direct)``: ``slope`` (n, 3) grad p at the points, ``direct`` (e,) its own flux."""
    cdef Py_ssize_t e, i, j, edges = ends.shape[0]
    cdef double mean
    with nogil:
        for e in range(edges):
            i, j = ends[e, 0], ends[e, 1]
            mean = 0.5 * (
                (slope[i, 0] + slope[j, 0]) * area[e, 0] + (slope[i, 1] + slope[j, 1]) * area[e, 1]
                + (slope[i, 2] + slope[j, 2]) * area[e, 2]
            )
            flux[e] += 0.5 * (tau[i] + tau[j]) * (mean - direct[e])


def divergence(double[::1] out, const double[::1] flux, const int[:, ::1] ends):
    """``out`` (n,) m3/s: what leaves each control volume through its dual faces."""
    cdef Py_ssize_t e, n = out.shape[0], edges = ends.shape[0]
    with nogil:
        for e in range(n):
            out[e] = 0.0
        for e in range(edges):
            out[ends[e, 0]] += flux[e]
            out[ends[e, 1]] -= flux[e]


def laplacian(
    double[::1] off, const double[::1] weight, const int[:, ::1] tetra, const int[:, ::1] tetra_edge,
    const int[:, ::1] slot, const double[:, :, ::1] shape, const double[::1] volume, double[::1] edge,
):
    """``off`` (nnz,): off-diagonals of the stiffness matrix of ``weight``; ``edge`` (e,) their negatives by edge."""
    cdef Py_ssize_t k, e, m = tetra.shape[0]
    cdef int a, b, at
    cdef double w
    with nogil:
        for e in range(edge.shape[0]):
            edge[e] = 0.0
        for k in range(m):
            w = -weight[k] * volume[k]
            at = 0
            for a in range(3):
                for b in range(a + 1, 4):
                    edge[tetra_edge[k, at]] += w * (
                        shape[k, a, 0] * shape[k, b, 0] + shape[k, a, 1] * shape[k, b, 1]
                        + shape[k, a, 2] * shape[k, b, 2]
                    )
                    at += 1
        for e in range(edge.shape[0]):
            off[slot[e, 0]] = -edge[e]
            off[slot[e, 1]] = -edge[e]
