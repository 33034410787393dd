# Passes over the cells and faces of a block: reconstruction, fluxes, both stages of a step, checks.
#
# Pressure and velocity are reconstructed linearly with the monotonised-central limiter (van Leer 1977, J Comput Phys
# 23:276); the flux is local Lax-Friedrichs, well balanced because A0 and beta are single-valued at a face (Delestre &
# Lagree 2013, Int J Numer Methods Fluids 72:177); time is Heun's two-stage strong-stability-preserving method (Shu &
# Osher 1988, J Comput Phys 77:439). Every loop is free of branches and vectorises; a stage takes two square roots and
# one division a cell. In the scratch of a block the first three passes go on to a whole number of vectors: what they
# find beyond the block is not used, and a vessel of few cells has no slow rest.

from libc.math cimport fabs, sqrt


cdef inline int whole_vectors(int n) noexcept nogil:
    return (n + 3) & ~3


cdef void primitives(out_t u, out_t p, in_t area, in_t flow, in_t s0, in_t b, int n) noexcept nogil:
    cdef int j
    for j in range(whole_vectors(n)):
        u[j] = flow[j] / area[j]
        p[j] = b[j] * (sqrt(area[j]) - s0[j])


cdef inline double monotonised_central(double left, double right) noexcept nogil:
    # Half the limited difference across the cell.
    cdef double mean = 0.25 * (left + right)
    cdef double low = lower(lower(left, right), mean)
    cdef double high = upper(upper(left, right), mean)
    return upper(low, 0.0) + lower(high, 0.0)


cdef void half_slopes(out_t h, in_t w, int n) noexcept nogil:
    # One-sided in the first and last cell: right where a vessel ends, not used where a block goes on.
    cdef int j
    for j in range(1, 1 + whole_vectors(n - 2)):
        h[j] = monotonised_central(w[j] - w[j - 1], w[j + 1] - w[j])
    h[0] = 0.5 * (w[1] - w[0])
    h[n - 1] = 0.5 * (w[n - 1] - w[n - 2])


cdef void face_fluxes(
    out_t mass, out_t to_left, out_t to_right, in_t p, in_t u, in_t hp, in_t hu,
    in_t s0, in_t slack, in_t k, double alpha, int n,
) noexcept nogil:
    # to_left, to_right: momentum flux less the pressure force k s^3 that the cell on that side sees at the face.
    cdef int j
    cdef double s_l, s_r, u_l, u_r, q_l, q_r, fastest, speed, convected, jump
    cdef double stretch = alpha * (alpha - 1.0)
    for j in range(1, 1 + whole_vectors(n - 1)):
        s_l = s0[j] + slack[j] * (p[j - 1] + hp[j - 1])
        s_r = s0[j] + slack[j] * (p[j] - hp[j])
        u_l = u[j - 1] + hu[j - 1]
        u_r = u[j] - hu[j]
        q_l = u_l * s_l * s_l
        q_r = u_r * s_r * s_r
        fastest = upper(fabs(u_l), fabs(u_r))
        speed = 0.5 * (alpha * fastest + sqrt(1.5 * k[j] * upper(s_l, s_r) + stretch * fastest * fastest))
        mass[j] = 0.5 * (q_l + q_r) - speed * (s_r * s_r - s_l * s_l)
        convected = 0.5 * alpha * (q_l * u_l + q_r * u_r) - speed * (q_r - q_l)
        jump = 0.5 * k[j] * (s_r * s_r * s_r - s_l * s_l * s_l)
        to_left[j] = convected + jump
        to_right[j] = convected - jump


cdef inline double force(double area, double hp, double cubic, double two_per_rho) noexcept nogil:
    # A / rho dp integrated across a cell with p linear: k times the difference of s^3 from face to face, so that
    # momentum is conserved and a shock has its right speed. cubic = 1 / (3 b^2).
    return two_per_rho * hp * (area + cubic * hp * hp)


cdef void first_stage(
    out_t area1, out_t flow1, in_t area, in_t flow, in_t mass, in_t to_left, in_t to_right, in_t hp, in_t u,
    in_t dtdx, in_t cubic, double drag, double two_per_rho, int n,
) noexcept nogil:
    # drag = dt friction
    cdef int j
    for j in range(n):
        area1[j] = area[j] - dtdx[j] * (mass[j + 1] - mass[j])
        flow1[j] = (
            flow[j] - dtdx[j] * (to_left[j + 1] - to_right[j] + force(area[j], hp[j], cubic[j], two_per_rho))
            - drag * u[j]
        )


cdef long second_stage(
    out_t area, out_t flow, in_t area1, in_t flow1, in_t mean, in_t to_left, in_t to_right, in_t hp, in_t u,
    in_t dtdx, in_t cubic, double drag, double two_per_rho, int n,
) noexcept nogil:
    # mean is the effective flux of the whole step. Returns the number of cells with a positive area.
    cdef int j
    cdef long positive = 0
    for j in range(n):
        area[j] = area[j] - dtdx[j] * (mean[j + 1] - mean[j])
        flow[j] = 0.5 * (
            flow[j] + flow1[j]
            - dtdx[j] * (to_left[j + 1] - to_right[j] + force(area1[j], hp[j], cubic[j], two_per_rho)) - drag * u[j]
        )
        positive += area[j] > 0.0
    return positive


cdef void mean_flux(out_t mean, in_t first, in_t second, int n) noexcept nogil:
    cdef int j
    for j in range(n):
        mean[j] = 0.5 * (first[j] + second[j])


cdef void copy(out_t to, in_t values, int n) noexcept nogil:
    cdef int j
    for j in range(n):
        to[j] = values[j]


cdef void less_twice(out_t first, in_t second, int n) noexcept nogil:
    # second - 2 first
    cdef int j
    for j in range(n):
        first[j] = second[j] - 2.0 * first[j]


cdef void add(out_t sum, in_t part, double weight, int n) noexcept nogil:
    cdef int j
    for j in range(n):
        sum[j] += weight * part[j]


cdef long too_fast(in_t area, in_t flow, in_t speed, in_t dtdx, double alpha, double limit, int n) noexcept nogil:
    # Cells whose fastest wave crosses more than `limit` of the cell in a step.
    cdef int j
    cdef long count = 0
    cdef double u
    cdef double stretch = alpha * (alpha - 1.0)
    for j in range(n):
        u = flow[j] / area[j]
        count += dtdx[j] * (alpha * fabs(u) + sqrt(speed[j] * sqrt(area[j]) + stretch * u * u)) > limit
    return count
