# Conjugate gradients for a symmetric positive definite matrix, preconditioned by one V-cycle over given levels.
#
# Smoothing is one pass of Gauss and Seidel forwards on the way down, from zero, and one backwards on the way up, so the
# cycle is symmetric and positive definite as conjugate gradients ask of it (Vanek, Mandel & Brezina 1996, Computing
# 56:179). After a forward pass from zero row i holds for what stood right of the diagonal as zero: what is left of it
# is minus the upper triangle's product, half a pass instead of a whole one.
#
# Levels lie one after the other in flat arrays, the finest first, each matrix and each interpolation with one row
# pointer more than it has rows. The coarsest matrix comes inverted and dense. The loop holds no lock of the
# interpreter: what else there is to do goes on beside it.

from libc.math cimport sqrt


cdef struct Levels:
    int count
    const int *size       # (count,) rows
    const int *offset     # (count,) where a level's vectors, and its part of ``middle`` and ``inverse``, begin
    const int *row        # of all matrices but the last one, each n + 1, absolute into column and value
    const int *middle     # where the diagonal of each row stands
    const int *column
    const double *value
    const double *inverse  # of the diagonal
    const int *p_row      # of the interpolations, each n + 1
    const int *p_column
    const double *p_value
    const double *coarse  # (last, last)
    double *b             # right-hand side of each level
    double *x             # and its solution


def conjugate_gradients(
    double[::1] x, const double[::1] right, double[:, ::1] work, double[:, ::1] level_work, const int[::1] size,
    const int[::1] offset, const int[::1] row, const int[::1] middle, const int[::1] column, const double[::1] value,
    const double[::1] inverse, const int[::1] p_row, const int[::1] p_column, const double[::1] p_value,
    const double[:, ::1] coarse, double goal, int most,
):
    """Solve for x (n,), which holds a first guess, until ``|right - A x| <= goal``; returns iterations, or -1 - most.

    ``work`` (3, n), ``level_work`` (2, sum of all sizes). Raises nothing: what is not finite ends with -1 - most.
    """
    cdef Levels m
    cdef int n = size[0], count
    cdef double *r = &work[0, 0]
    cdef double *p = &work[1, 0]
    cdef double *q = &work[2, 0]
    m.count, m.size, m.offset = size.shape[0], &size[0], &offset[0]
    m.row, m.middle, m.column, m.value, m.inverse = &row[0], &middle[0], &column[0], &value[0], &inverse[0]
    m.p_row, m.p_column, m.p_value = &p_row[0], &p_column[0], &p_value[0]
    m.coarse, m.b, m.x = &coarse[0, 0], &level_work[0, 0], &level_work[1, 0]
    with nogil:
        count = iterate(&m, &x[0], &right[0], r, p, q, n, goal, most)
    return count


cdef int iterate(
    Levels *m, double *x, const double *right, double *r, double *p, double *q, int n, double goal, int most
) noexcept nogil:
    cdef int i, count
    cdef double rho, before = 0.0, alpha, beta, left
    product(q, m, x, n)
    for i in range(n):
        r[i] = right[i] - q[i]
    left = sqrt(dot(r, r, n))
    for count in range(most):
        if left <= goal:
            return count
        for i in range(n):
            m.b[i] = r[i]
        v_cycle(m, 0)
        rho = dot(r, m.x, n)
        beta = rho / before if count else 0.0
        for i in range(n):
            p[i] = m.x[i] + (beta * p[i] if count else 0.0)
        alpha = rho / product(q, m, p, n)
        left = 0.0
        for i in range(n):
            x[i] += alpha * p[i]
            r[i] -= alpha * q[i]
            left = left + r[i] * r[i]
        left = sqrt(left)
        before = rho
        if not left == left:
            return -1 - most
    return most if left <= goal else -1 - most


cdef inline double dot(const double *a, const double *b, int n) noexcept nogil:
    # Four sums at once: one would wait for itself.
    cdef double s0 = 0.0, s1 = 0.0, s2 = 0.0, s3 = 0.0
    cdef int i = 0
    while i + 3 < n:
        s0 = s0 + a[i] * b[i]
        s1 = s1 + a[i + 1] * b[i + 1]
        s2 = s2 + a[i + 2] * b[i + 2]
        s3 = s3 + a[i + 3] * b[i + 3]
        i = i + 4
    while i < n:
        s0 = s0 + a[i] * b[i]
        i = i + 1
    return (s0 + s1) + (s2 + s3)


cdef double product(double *out, const Levels *m, const double *x, int n) noexcept nogil:
    # out = A x on the finest level; returns x . A x.
    cdef int i, k
    cdef double a, total = 0.0
    for i in range(n):
        a = 0.0
        for k in range(m.row[i], m.row[i + 1]):
            a = a + m.value[k] * x[m.column[k]]
        out[i] = a
        total = total + a * x[i]
    return total


cdef void v_cycle(const Levels *m, int level) noexcept nogil:
    # x of this level, roughly, for b of this level; everything beneath is room to work in.
    cdef int n = m.size[level], at = m.offset[level]
    cdef double *x = m.x + at
    cdef double *b = m.b + at
    if level == m.count - 1:
        solve_coarse(x, m.coarse, b, n)
        return
    forwards(x, b, m, at, at + level, n)
    restrict(m.b + m.offset[level + 1], x, m, at, at + level, n, m.size[level + 1])
    v_cycle(m, level + 1)
    interpolate(x, m.x + m.offset[level + 1], m, at + level, n)
    backwards(x, b, m, at, at + level, n)


cdef void solve_coarse(double *x, const double *inverse, const double *b, int n) noexcept nogil:
    cdef int i, k
    cdef double a
    for i in range(n):
        a = 0.0
        for k in range(n):
            a = a + inverse[i * n + k] * b[k]
        x[i] = a


cdef void forwards(double *x, const double *b, const Levels *m, int at, int rows, int n) noexcept nogil:
    cdef int i, k
    cdef double a
    for i in range(n):
        a = b[i]
        for k in range(m.row[rows + i], m.middle[at + i]):
            a = a - m.value[k] * x[m.column[k]]
        x[i] = a * m.inverse[at + i]


cdef void restrict(
    double *coarse, const double *x, const Levels *m, int at, int rows, int n, int n_coarse
) noexcept nogil:
    # P^T (b - A x) of the x that a forward pass from zero has left.
    cdef int i, k
    cdef double a
    for i in range(n_coarse):
        coarse[i] = 0.0
    for i in range(n):
        a = 0.0
        for k in range(m.middle[at + i] + 1, m.row[rows + i + 1]):
            a = a - m.value[k] * x[m.column[k]]
        for k in range(m.p_row[rows + i], m.p_row[rows + i + 1]):
            coarse[m.p_column[k]] += m.p_value[k] * a


cdef void interpolate(double *x, const double *coarse, const Levels *m, int rows, int n) noexcept nogil:
    cdef int i, k
    cdef double a
    for i in range(n):
        a = x[i]
        for k in range(m.p_row[rows + i], m.p_row[rows + i + 1]):
            a = a + m.p_value[k] * coarse[m.p_column[k]]
        x[i] = a


cdef void backwards(double *x, const double *b, const Levels *m, int at, int rows, int n) noexcept nogil:
    cdef int i, k
    cdef double a
    for i in range(n - 1, -1, -1):
        a = b[i]
        for k in range(m.row[rows + i], m.middle[at + i]):
            a = a - m.value[k] * x[m.column[k]]
        for k in range(m.middle[at + i] + 1, m.row[rows + i + 1]):
            a = a - m.value[k] * x[m.column[k]]
        x[i] = a * m.inverse[at + i]
