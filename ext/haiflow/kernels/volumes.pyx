# Median-dual control volumes of tetrahedra: conductances between neighbouring points, gathered row by row.
#
# In a tetrahedron with linear pressure the flow through the dual faces between the control volumes of corners i and j
# is T_ij (p_i - p_j) with
#
#     T_ij = - mobility grad(lambda_i) . grad(lambda_j) volume = - mobility n_i . n_j / (9 volume)
#
# where n_i is the area vector of the face opposite to i (inwards). The rows that these make are those of the linear
# finite element (Bank & Rose 1987, SIAM J Numer Anal 24:777), so the scheme is consistent on any tetrahedra; flows are
# equal and opposite on both sides of a dual face, so it conserves in every control volume.


cdef inline void area_vector(double *n, const double *a, const double *b, const double *c) noexcept nogil:
    cdef double ux = b[0] - a[0], uy = b[1] - a[1], uz = b[2] - a[2]
    cdef double vx = c[0] - a[0], vy = c[1] - a[1], vz = c[2] - a[2]
    n[0], n[1], n[2] = 0.5 * (uy * vz - uz * vy), 0.5 * (uz * vx - ux * vz), 0.5 * (ux * vy - uy * vx)


cdef inline double dot(const double *a, const double *b) noexcept nogil:
    return a[0] * b[0] + a[1] * b[1] + a[2] * b[2]


cdef inline double faces(
    double n[4][3], const double[:, ::1] points, const int[:, ::1] tetra, Py_ssize_t k
) noexcept nogil:
    # Area vectors of the faces opposite to each corner, inwards; returns the signed volume.
    cdef const double *p0 = &points[tetra[k, 0], 0]
    cdef const double *p1 = &points[tetra[k, 1], 0]
    cdef const double *p2 = &points[tetra[k, 2], 0]
    cdef const double *p3 = &points[tetra[k, 3], 0]
    cdef double u[3]
    cdef int d
    area_vector(n[0], p1, p3, p2)
    area_vector(n[1], p0, p2, p3)
    area_vector(n[2], p0, p3, p1)
    for d in range(3):
        n[3][d] = -(n[0][d] + n[1][d] + n[2][d])
        u[d] = p3[d] - p0[d]
    return dot(n[3], u) / 3.0


def conductances(
    double[:, ::1] edge, double[::1] volume, const double[:, ::1] points, const int[:, ::1] tetra,
    const double[::1] mobility,
):
    """``edge`` (m, 6): T of the corner pairs 01, 02, 03, 12, 13, 23; ``volume`` (m,) signed."""
    cdef Py_ssize_t k, m = tetra.shape[0]
    cdef double n[4][3]
    cdef double scale
    with nogil:
        for k in range(m):
            volume[k] = faces(n, points, tetra, k)
            scale = -mobility[k] / (9.0 * volume[k])
            edge[k, 0], edge[k, 1], edge[k, 2] = scale * dot(n[0], n[1]), scale * dot(n[0], n[2]), \
                scale * dot(n[0], n[3])
            edge[k, 3], edge[k, 4], edge[k, 5] = scale * dot(n[1], n[2]), scale * dot(n[1], n[3]), \
                scale * dot(n[2], n[3])


def cells_of_points(int[::1] start, int[::1] cells, const int[:, ::1] tetra):
    """Tetrahedra round each point: ``cells[start[i]:start[i + 1]]``; ``start`` (n + 1,) zeroed, ``cells`` (4 m,)."""
    cdef Py_ssize_t k, i, m = tetra.shape[0], n = start.shape[0] - 1
    cdef int c
    with nogil:
        for k in range(m):
            for c in range(4):
                start[tetra[k, c] + 1] += 1
        for i in range(n):
            start[i + 1] += start[i]
        for k in range(m):
            for c in range(4):
                i = tetra[k, c]
                cells[start[i]] = <int> k
                start[i] += 1
        for i in range(n, 0, -1):
            start[i] = start[i - 1]
        start[0] = 0


def count_neighbours(
    int[::1] count, int[::1] seen, const int[:, ::1] tetra, const int[::1] start, const int[::1] cells
):
    """``count`` (n,): points joined to each point by an edge; ``seen`` (n,) filled with -1."""
    cdef Py_ssize_t i, k, n = count.shape[0]
    cdef int c, j
    with nogil:
        for i in range(n):
            seen[i] = <int> i
            count[i] = 0
            for k in range(start[i], start[i + 1]):
                for c in range(4):
                    j = tetra[cells[k], c]
                    if seen[j] != i:
                        seen[j] = <int> i
                        count[i] += 1


cdef int *PAIR = [-1, 0, 1, 2, 0, -1, 3, 4, 1, 3, -1, 5, 2, 4, 5, -1]


def gather_rows(
    int[::1] column, double[::1] value, int[::1] place, const int[::1] row, const int[:, ::1] tetra,
    const int[::1] start, const int[::1] cells, const double[:, ::1] edge,
):
    """Rows of T without diagonal, columns sorted: ``column``, ``value`` (row[n],); ``place`` (n,) filled with -1."""
    cdef Py_ssize_t i, k, n = row.shape[0] - 1
    cdef int c, own, j, at, used
    cdef double t
    with nogil:
        for i in range(n):
            used = 0
            for k in range(start[i], start[i + 1]):
                own = 0
                while tetra[cells[k], own] != i:
                    own += 1
                for c in range(4):
                    if c == own:
                        continue
                    j = tetra[cells[k], c]
                    at = place[j]
                    if at < row[i] or at >= row[i] + used or column[at] != j:
                        at = row[i] + used
                        place[j], column[at], value[at] = at, j, 0.0
                        used += 1
                    value[at] += edge[cells[k], PAIR[4 * own + c]]
            for k in range(row[i] + 1, row[i] + used):  # insertion sort: some fifteen neighbours
                j, t, at = column[k], value[k], <int> k
                while at > row[i] and column[at - 1] > j:
                    column[at], value[at] = column[at - 1], value[at - 1]
                    at -= 1
                column[at], value[at] = j, t


def shape_gradients(
    double[:, :, ::1] shape, double[::1] volume, const double[:, ::1] points, const int[:, ::1] tetra
):
    """``shape`` (m, 4, 3) 1/m: gradients of the barycentric coordinates; ``volume`` (m,) signed."""
    cdef Py_ssize_t k, m = tetra.shape[0]
    cdef double n[4][3]
    cdef int c, d
    with nogil:
        for k in range(m):
            volume[k] = faces(n, points, tetra, k)
            for c in range(4):
                for d in range(3):
                    shape[k, c, d] = n[c][d] / (3.0 * volume[k])


cdef int *FIRST = [0, 0, 0, 1, 1, 2]
cdef int *SECOND = [1, 2, 3, 2, 3, 3]


def dual_faces(
    double[:, ::1] area, const int[:, ::1] tetra, const int[:, ::1] tetra_edge, const double[:, :, ::1] shape,
    const double[::1] volume,
):
    """``area`` (e, 3) m2: area vector of each edge's dual face, from its lower to its higher point.

    Its piece in a cell is ``volume (grad lambda_j - grad lambda_i) / 4``.
    """
    cdef Py_ssize_t k, e, m = tetra.shape[0]
    cdef int at, a, b, d
    with nogil:
        for e in range(area.shape[0]):
            area[e, 0] = area[e, 1] = area[e, 2] = 0.0
        for k in range(m):
            for at in range(6):
                a, b, e = FIRST[at], SECOND[at], tetra_edge[k, at]
                if tetra[k, a] > tetra[k, b]:
                    a, b = b, a
                for d in range(3):
                    area[e, d] += 0.25 * volume[k] * (shape[k, b, d] - shape[k, a, d])
