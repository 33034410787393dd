# Massless tracers in a velocity that no cell gains or loses volume by, and that is linear in every tetrahedron and,
# between two times, in time.
#
# The velocity is that of the points, interpolated, and in each cell a correction a + s (x - middle) of lowest order of
# Raviart and Thomas, whose flux through every face is the same on both sides and that takes the divergence away. So
# what streams in through a hole streams out again somewhere: no tracer can run into a wall, and closed eddies hold
# theirs.
#
# Steps of Runge and Kutta's fourth order of at most a share of a cell's size and of the time in which the velocity
# turns, and a random one of molecular diffusion after each. A tracer walks from cell to cell through the face opposite
# to its most negative barycentric coordinate. It leaves by patches that let out; all others throw it back.

from libc.math cimport sqrt


cdef struct Stream:
    const double *points     # (n, 3) m
    const int *tetra         # (m, 4)
    const double *shape      # (m, 4, 3) 1/m
    const int *beyond        # (m, 4) the cell beyond the face opposite to each corner; on the boundary -1 - patch
    const int *lets_out      # by patch
    const double *first      # (n, 3) m/s at ``start``
    const double *second     # (n, 3) m/s at ``end``
    const double *more_first   # (m, 4) the correction's a (m/s) and s (1/s)
    const double *more_second
    double start
    double end


cdef inline void weigh(double *w, const double *x, const Stream *f, Py_ssize_t cell) noexcept nogil:
    # Barycentric coordinates; the first is one at its own corner.
    cdef int a
    cdef const double *slope
    cdef const double *corner
    for a in range(4):
        corner = f.points + 3 * f.tetra[4 * cell + a]
        slope = f.shape + 12 * cell + 3 * a
        w[a] = 1.0 + slope[0] * (x[0] - corner[0]) + slope[1] * (x[1] - corner[1]) + slope[2] * (x[2] - corner[2])


cdef inline void put_inside(double *x, double *w, const Stream *f, Py_ssize_t cell) noexcept nogil:
    # To the nearest place in the cell, by the coordinates.
    cdef int a, d
    cdef double total = 0.0
    for a in range(4):
        w[a] = 1e-9 if w[a] < 1e-9 else w[a]
        total = total + w[a]
    x[0] = x[1] = x[2] = 0.0
    for a in range(4):
        w[a] /= total
        for d in range(3):
            x[d] += w[a] * f.points[3 * f.tetra[4 * cell + a] + d]


cdef inline Py_ssize_t walk(double *x, double *w, Py_ssize_t cell, int *left_by, const Stream *f) noexcept nogil:
    # To the cell that holds x; a face that lets nothing out is a mirror.
    cdef int a, d, worst, _
    cdef double least, square
    cdef Py_ssize_t next_cell
    cdef const double *slope
    left_by[0] = -1
    for _ in range(200):
        weigh(w, x, f, cell)
        worst, least = -1, -1e-12
        for a in range(4):
            if w[a] < least:
                worst, least = a, w[a]
        if worst < 0:
            return cell
        next_cell = f.beyond[4 * cell + worst]
        if next_cell >= 0:
            cell = next_cell
            continue
        if f.lets_out[-1 - next_cell]:
            left_by[0] = <int> (-1 - next_cell)
            return cell
        slope = f.shape + 12 * cell + 3 * worst
        square = slope[0] * slope[0] + slope[1] * slope[1] + slope[2] * slope[2]
        for d in range(3):
            x[d] -= 2.0 * least * slope[d] / square
    put_inside(x, w, f, cell)  # round and round in a corner or on a bad mesh: no velocity is told from outside a cell
    return cell


cdef inline double share_of(double time, const Stream *f) noexcept nogil:
    # A tracer that used up its steps in an earlier call is late: it goes on with the first velocity, not with one
    # from before it.
    cdef double late = (time - f.start) / (f.end - f.start)
    return 0.0 if late < 0.0 else 1.0 if late > 1.0 else late


cdef inline void speed_at(
    double *u, const double *x, const double *w, Py_ssize_t cell, double late, const Stream *f
) noexcept nogil:
    cdef int a, d
    cdef Py_ssize_t p
    cdef const double *one = f.more_first + 4 * cell
    cdef const double *two = f.more_second + 4 * cell
    cdef double rate = one[3] + late * (two[3] - one[3])
    cdef double middle
    for d in range(3):
        middle = 0.0
        u[d] = one[d] + late * (two[d] - one[d])
        for a in range(4):
            p = 3 * f.tetra[4 * cell + a] + d
            u[d] += w[a] * (f.first[p] + late * (f.second[p] - f.first[p]))
            middle += 0.25 * f.points[p]
        u[d] += rate * (x[d] - middle)


cdef inline double turning(Py_ssize_t cell, double late, const Stream *f) noexcept nogil:
    # (1/s) the size of the velocity's gradient in a cell.
    cdef int a, d, e
    cdef Py_ssize_t p
    cdef double square = 0.0
    cdef double part
    cdef double rate = f.more_first[4 * cell + 3]
    rate += late * (f.more_second[4 * cell + 3] - rate)
    for d in range(3):
        for e in range(3):
            part = rate if d == e else 0.0
            for a in range(4):
                p = 3 * f.tetra[4 * cell + a] + d
                part += f.shape[12 * cell + 3 * a + e] * (f.first[p] + late * (f.second[p] - f.first[p]))
            square += part * part
    return sqrt(square)


cdef inline double even(unsigned long long *state) noexcept nogil:
    # Evenly in (-0.5, 0.5): SplitMix64 (Steele et al. 2014, OOPSLA), the same on every machine.
    cdef unsigned long long z
    state[0] += 0x9E3779B97F4A7C15ULL
    z = state[0]
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9ULL
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBULL
    z = z ^ (z >> 31)
    return <double> (z >> 11) * 1.1102230246251565e-16 - 0.5


cdef inline Py_ssize_t advance(
    double *x, double *w, Py_ssize_t cell, double now, double dt, const double *first_speed, int *left_by,
    const Stream *f
) noexcept nogil:
    # One step of Runge and Kutta's; ``first_speed`` is that at x.
    cdef double y[3]
    cdef double total[3]
    cdef double u[3]
    cdef double ahead
    cdef int d, stage
    cdef Py_ssize_t c = cell
    for d in range(3):
        u[d] = first_speed[d]
        total[d] = u[d]
    for stage in range(1, 4):
        ahead = dt if stage == 3 else 0.5 * dt
        for d in range(3):
            y[d] = x[d] + ahead * u[d]
        c = walk(y, w, c, left_by, f)
        if left_by[0] >= 0:
            return c
        speed_at(u, y, w, c, share_of(now + ahead, f), f)
        for d in range(3):
            total[d] += u[d] if stage == 3 else 2.0 * u[d]
    for d in range(3):
        x[d] += dt / 6.0 * total[d]
    return walk(x, w, c, left_by, f)


cdef inline double length(const double *u) noexcept nogil:
    return sqrt(u[0] * u[0] + u[1] * u[1] + u[2] * u[2])


cdef inline double spreading(double diffusivity, double straying, double size, double speed) noexcept nogil:
    # (m2/s) variance to each side in a time.
    return 2.0 * diffusivity + straying * straying * size * speed


cdef inline Py_ssize_t wander(
    double *x, double *w, Py_ssize_t cell, double now, double dt, double spread, double diffusivity, double straying,
    const double[::1] size, unsigned long long *state, int *left_by, const Stream *f
) noexcept nogil:
    # A random step, as long as the spread is where it ends (Hänggi and Klimontovich): so what is even stays even where
    # the spread is not the same everywhere; by the spread where it starts tracers would gather where they are slow.
    cdef double y[3]
    cdef double u[3]
    cdef double draw[3]
    cdef double far = sqrt(12.0 * dt)  # an even step's variance is a twelfth of its width's square
    cdef int d
    cdef Py_ssize_t c
    for d in range(3):
        draw[d] = far * even(state)
        y[d] = x[d] + sqrt(spread) * draw[d]
    c = walk(y, w, cell, left_by, f)
    if left_by[0] < 0:
        speed_at(u, y, w, c, share_of(now, f), f)
        spread = spreading(diffusivity, straying, size[c], length(u))
        for d in range(3):
            x[d] += sqrt(spread) * draw[d]
        return walk(x, w, cell, left_by, f)
    for d in range(3):
        x[d] = y[d]
    return c


def carry(
    double[:, ::1] place, int[::1] cell, int[::1] left_by, double[::1] clock, unsigned long long[::1] state,
    double[:, :, ::1] trail, int[::1] marks, double end, double start, const double[:, ::1] first,
    const double[:, ::1] second, const double[:, ::1] more_first, const double[:, ::1] more_second,
    const double[:, ::1] points, const int[:, ::1] tetra, const double[:, :, ::1] shape, const double[::1] size,
    const int[:, ::1] beyond, const int[::1] lets_out, double diffusivity, double straying, double share, double apart,
    long most, int member, int members,
):
    """Carry the tracers from their ``clock`` (s) to ``end``; velocity is ``first`` at ``start``, ``second`` at ``end``.

    ``left_by`` (N,): -1 while inside, then the patch. ``state`` (N,): of their random numbers. ``trail`` (N, k, 3) with
    ``marks`` (N,): places ``apart`` metres from each other. ``more_first``, ``more_second`` (m, 4): the correction of
    each cell, m/s at its middle and 1/s. ``diffusivity`` m2/s. ``straying``: standard deviation, in cells, of what they
    err to every side on a cell's length. ``most``: steps of one tracer in this call. Of a team of ``members`` each
    takes its own tracers.
    """
    cdef Py_ssize_t t, c
    cdef long _
    cdef double x[3]
    cdef double u[3]
    cdef double w[4]
    cdef double now, dt, speed, far, late, rate, reach, spread
    cdef int gone, d
    cdef Stream f
    f.points, f.tetra, f.shape, f.beyond, f.lets_out = (
        &points[0, 0], &tetra[0, 0], &shape[0, 0, 0], &beyond[0, 0], &lets_out[0])
    f.first, f.second, f.more_first, f.more_second = &first[0, 0], &second[0, 0], &more_first[0, 0], &more_second[0, 0]
    f.start, f.end = start, end
    with nogil:
        for t in range(place.shape[0]):
            if t % members != member or left_by[t] >= 0 or clock[t] >= end:
                continue
            c, now = cell[t], clock[t]
            x[0], x[1], x[2] = place[t, 0], place[t, 1], place[t, 2]
            c = walk(x, w, c, &gone, &f)
            for _ in range(most):
                if now >= end or gone >= 0:
                    break
                late = share_of(now, &f)
                speed_at(u, x, w, c, late, &f)
                speed = length(u)
                reach = share * size[c]
                dt = end - now
                if speed * dt > reach:
                    dt = reach / speed
                rate = turning(c, late, &f)
                if rate * dt > share:
                    dt = share / rate
                spread = spreading(diffusivity, straying, size[c], speed)
                if 12.0 * spread * dt > reach * reach:
                    dt = reach * reach / (12.0 * spread)
                c = advance(x, w, c, now, dt, u, &gone, &f)
                now += dt
                if gone >= 0:
                    break
                if spread > 0.0:
                    c = wander(x, w, c, now, dt, spread, diffusivity, straying, size, &state[t], &gone, &f)
                    if gone >= 0:
                        break
                if marks[t] < trail.shape[1]:
                    far = 0.0
                    if marks[t] > 0:
                        for d in range(3):
                            far += (x[d] - trail[t, marks[t] - 1, d]) * (x[d] - trail[t, marks[t] - 1, d])
                    if marks[t] == 0 or far > apart * apart:
                        for d in range(3):
                            trail[t, marks[t], d] = x[d]
                        marks[t] += 1
            cell[t], clock[t], left_by[t] = <int> c, now, gone
            place[t, 0], place[t, 1], place[t, 2] = x[0], x[1], x[2]
