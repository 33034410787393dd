# Slopes of a channel's cells: the limited difference across each cell, and its bound where a value enters.
#
# Limiters 0 minmod, 1 van Leer, 2 monotonised central (van Leer 1977, J Comput Phys 23:276); all are at most twice the
# difference to either neighbour (Sweby 1984, SIAM J Numer Anal 21:995).


cdef inline double least(double a, double b) noexcept nogil:
    return a if a < b else b


cdef inline double most(double a, double b) noexcept nogil:
    return a if a > b else b


cdef inline double minmod(double a, double b) noexcept nogil:
    return most(least(a, b), 0.0) + least(most(a, b), 0.0)


cdef inline double van_leer(double a, double b) noexcept nogil:
    cdef double product = a * b
    return 2.0 * product / (a + b) if product > 0.0 else 0.0


cdef inline double limited(double a, double b, int limiter) noexcept nogil:
    if limiter == 0:
        return minmod(a, b)
    if limiter == 1:
        return van_leer(a, b)
    return minmod(2.0 * minmod(a, b), 0.5 * (a + b))


cdef void slopes(double* s, const double* c, int n, double left, double right, int limiter) noexcept nogil:
    """Limited difference across each cell of a channel whose neighbours beyond the ends are left and right."""
    cdef int i
    if limiter == 0:
        for i in range(1, n - 1):
            s[i] = minmod(c[i] - c[i - 1], c[i + 1] - c[i])
    elif limiter == 1:
        for i in range(1, n - 1):
            s[i] = van_leer(c[i] - c[i - 1], c[i + 1] - c[i])
    else:
        for i in range(1, n - 1):
            s[i] = minmod(2.0 * minmod(c[i] - c[i - 1], c[i + 1] - c[i]), 0.5 * (c[i + 1] - c[i - 1]))
    if n == 1:
        s[0] = limited(c[0] - left, right - c[0], limiter)
    else:
        s[0] = limited(c[0] - left, c[1] - c[0], limiter)
        s[n - 1] = limited(c[n - 1] - c[n - 2], right - c[n - 1], limiter)


cdef inline double bounded(double s, double difference) noexcept nogil:
    """The slope s of an entry cell, at most twice the difference from the entering value and of its sign."""
    return minmod(s, 2.0 * difference)
