# Gradients at the points: Green and Gauss over the dual, closed on the boundary so that linear fields are exact.


def gradients(
    double[:, :, ::1] out, const double[:, ::1] field, const int[:, ::1] ends, const double[:, ::1] area,
    const int[:, ::1] wall, const double[:, ::1] wall_area, const double[::1] inverse_volume,
):
    """``out`` (n, q, 3): gradient of each of q fields (n, q). ``wall`` (b, 3): triangles, areas outwards (b, 3)."""
    cdef Py_ssize_t e, k, n = field.shape[0], q = field.shape[1], edges = ends.shape[0], walls = wall.shape[0]
    cdef Py_ssize_t i, j, c
    cdef double mean, sx, sy, sz
    cdef double *gi
    cdef double *gj
    cdef const double *fi
    cdef const double *fj
    with nogil:
        for i in range(n):
            gi = &out[i, 0, 0]
            for c in range(3 * q):
                gi[c] = 0.0
        for e in range(edges):
            i, j = ends[e, 0], ends[e, 1]
            sx, sy, sz = area[e, 0], area[e, 1], area[e, 2]
            gi, gj, fi, fj = &out[i, 0, 0], &out[j, 0, 0], &field[i, 0], &field[j, 0]
            for c in range(q):
                mean = 0.5 * (fi[c] + fj[c])
                gi[3 * c] += mean * sx
                gi[3 * c + 1] += mean * sy
                gi[3 * c + 2] += mean * sz
                gj[3 * c] -= mean * sx
                gj[3 * c + 1] -= mean * sy
                gj[3 * c + 2] -= mean * sz
        for k in range(walls):
            close_boundary(out, field, wall[k, 0], wall[k, 1], wall[k, 2], &wall_area[k, 0])
            close_boundary(out, field, wall[k, 1], wall[k, 2], wall[k, 0], &wall_area[k, 0])
            close_boundary(out, field, wall[k, 2], wall[k, 0], wall[k, 1], &wall_area[k, 0])
        for i in range(n):
            gi, mean = &out[i, 0, 0], inverse_volume[i]
            for c in range(3 * q):
                gi[c] *= mean


cdef inline void close_boundary(
    double[:, :, ::1] out, const double[:, ::1] field, Py_ssize_t a, Py_ssize_t b, Py_ssize_t c, const double *area
) noexcept nogil:
    # The third of a triangle round corner a. With the weights 6 : 1 : 1 the sum over all faces of a control volume is
    # the mean of its cells' own gradients, volume by volume (expand both in the shape functions).
    cdef Py_ssize_t f
    cdef double mean
    for f in range(field.shape[1]):
        mean = (6.0 * field[a, f] + field[b, f] + field[c, f]) / 24.0
        out[a, f, 0] += mean * area[0]
        out[a, f, 1] += mean * area[1]
        out[a, f, 2] += mean * area[2]
