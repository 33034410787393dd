# Massless tracers in a velocity that is linear in every tetrahedron and, between two times, in time.
#
# Midpoint steps (second order) of at most a share of a cell's size; a tracer walks from cell to cell through the face
# opposite to its most negative barycentric coordinate. It leaves by patches that let out and slides along all others.
#
# At a wall the blood's speed towards it falls with the square of the distance d: u_n = 0 there, and with no slip also
# d u_n / dn = -div_t u_t = 0. A linear velocity has it fall with d, and blows tracers against the wall. With y, the sum
# of the coordinates of corners that move, one away from walls and zero on them, u_n is multiplied by y in the cells at
# walls; n is a point's own normal, so that the velocity stays continuous and the points' own velocities stay.

from libc.math cimport sqrt


cdef inline void weigh(double *w, const double *x, const int[:, ::1] tetra, const double[:, ::1] points,
                       const double[:, :, ::1] shape, Py_ssize_t cell) noexcept nogil:
    # Barycentric coordinates; the first is one at its own corner.
    cdef int a
    cdef Py_ssize_t p
    for a in range(4):
        p = tetra[cell, a]
        w[a] = 1.0 + shape[cell, a, 0] * (x[0] - points[p, 0]) + shape[cell, a, 1] * (x[1] - points[p, 1]) \
            + shape[cell, a, 2] * (x[2] - points[p, 2])


cdef inline void put_inside(
    double *x, double *w, double margin, Py_ssize_t cell, const int[:, ::1] tetra, const double[:, ::1] points
) noexcept nogil:
    # To the place in the cell that the coordinates, none below the margin, stand for.
    cdef int a
    cdef double total = 0.0
    for a in range(4):
        w[a] = margin if w[a] < margin else w[a]
        total = total + w[a]
    x[0] = x[1] = x[2] = 0.0
    for a in range(4):
        w[a] /= total
        x[0] += w[a] * points[tetra[cell, a], 0]
        x[1] += w[a] * points[tetra[cell, a], 1]
        x[2] += w[a] * points[tetra[cell, a], 2]


cdef inline Py_ssize_t walk(
    double *x, double *w, Py_ssize_t cell, int *left_by, const int[:, ::1] tetra, const double[:, ::1] points,
    const double[:, :, ::1] shape, const int[:, ::1] beyond, const int[::1] lets_out
) noexcept nogil:
    # To the cell that holds x. Neighbours are numbers from 0; boundary faces are -1 - patch.
    cdef int a, worst, _
    cdef double least
    cdef Py_ssize_t next_cell
    left_by[0] = -1
    for _ in range(200):
        weigh(w, x, tetra, points, shape, cell)
        worst, least = -1, -1e-9
        for a in range(4):
            if w[a] < least:
                worst, least = a, w[a]
        if worst < 0:
            return cell
        next_cell = beyond[cell, worst]
        if next_cell >= 0:
            cell = next_cell
            continue
        if lets_out[-1 - next_cell]:
            left_by[0] = <int> (-1 - next_cell)
            return cell
        put_inside(x, w, 1e-6, cell, tetra, points)  # against a wall: back to the nearest place, by its coordinates
        return cell
    put_inside(x, w, 0.0, cell, tetra, points)  # round and round on a bad mesh: no velocity is told from outside a cell
    return cell


cdef inline void speed_at(
    double *u, const double *w, Py_ssize_t cell, double late, const int[:, ::1] tetra, const double[:, ::1] first,
    const double[:, ::1] second, const double[::1] flows, const double[:, ::1] normal
) noexcept nogil:
    # A tracer that used up its steps in an earlier call is late: it goes on with the first velocity, not with one
    # from before it.
    cdef int a, d
    cdef Py_ssize_t p
    cdef double v[3]
    cdef double away = 0.0
    cdef double across
    late = 0.0 if late < 0.0 else late
    late = 1.0 if late > 1.0 else late
    for a in range(4):
        away += w[a] * flows[tetra[cell, a]]
    u[0] = u[1] = u[2] = 0.0
    for a in range(4):
        p = tetra[cell, a]
        across = 0.0
        for d in range(3):
            v[d] = first[p, d] + late * (second[p, d] - first[p, d])
            across += v[d] * normal[p, d]
        across *= 1.0 - away
        for d in range(3):
            u[d] += w[a] * (v[d] - across * normal[p, d])


cdef inline double wall_limit(
    double dt, const double *u, const double *w, Py_ssize_t cell, const int[:, ::1] tetra,
    const double[:, :, ::1] shape, const double[::1] flows
) noexcept nogil:
    # The step in which a tracer comes nearer to a wall by a quarter of its distance at most.
    cdef int a, d
    cdef Py_ssize_t p
    cdef double away = 0.0
    cdef double rate = 0.0
    for a in range(4):
        p = tetra[cell, a]
        away += w[a] * flows[p]
        for d in range(3):
            rate -= flows[p] * shape[cell, a, d] * u[d]
    return 0.25 * away / rate if 4.0 * rate * dt > away else dt


cdef inline bint returned(
    const double *w, Py_ssize_t cell, const int[:, ::1] tetra, const unsigned char[::1] near
) noexcept nogil:
    # The control volume that holds a place is its cell's corner of largest coordinate's.
    cdef int a, largest = 0
    for a in range(1, 4):
        if w[a] > w[largest]:
            largest = a
    return near[tetra[cell, largest]]


def carry(
    double[:, ::1] place, int[::1] cell, int[::1] left_by, double[::1] clock, double[:, :, ::1] trail,
    int[::1] marks, double end, double start, const double[:, ::1] first,
    const double[:, ::1] second, const double[:, ::1] points, const int[:, ::1] tetra,
    const double[:, :, ::1] shape, const double[::1] size, const int[:, ::1] beyond, const int[::1] lets_out,
    const double[::1] flows, const double[:, ::1] normal, const unsigned char[::1] near,
    double share, double apart, long most,
):
    """Carry the tracers from their ``clock`` (s) to ``end``; velocity is ``first`` at ``start``, ``second`` at ``end``.

    ``left_by`` (N,): -1 while inside, then the patch; the number of patches once it is in a control volume of the
    points ``near`` (n,). ``trail`` (N, k, 3) with ``marks`` (N,): places ``apart`` metres from each other. ``flows``
    (n,): 0 on walls, else 1; ``normal`` (n, 3): at the points next to walls, zero elsewhere. ``most``: steps of one
    tracer in this call.
    """
    cdef Py_ssize_t t, c
    cdef long _
    cdef double x[3]
    cdef double y[3]
    cdef double u[3]
    cdef double w[4]
    cdef double now, dt, speed, far
    cdef int gone, d
    with nogil:
        for t in range(place.shape[0]):
            if left_by[t] >= 0:
                continue
            c, now = cell[t], clock[t]
            x[0], x[1], x[2] = place[t, 0], place[t, 1], place[t, 2]
            c = walk(x, w, c, &gone, tetra, points, shape, beyond, lets_out)
            for _ in range(most):
                if now >= end or gone >= 0:
                    break
                speed_at(u, w, c, (now - start) / (end - start), tetra, first, second, flows, normal)
                speed = sqrt(u[0] * u[0] + u[1] * u[1] + u[2] * u[2])
                dt = end - now
                if speed * dt > share * size[c]:
                    dt = share * size[c] / speed
                dt = wall_limit(dt, u, w, c, tetra, shape, flows)
                for d in range(3):
                    y[d] = x[d] + 0.5 * dt * u[d]
                c = walk(y, w, c, &gone, tetra, points, shape, beyond, lets_out)
                if gone < 0:
                    speed_at(u, w, c, (now + 0.5 * dt - start) / (end - start), tetra, first, second, flows, normal)
                    for d in range(3):
                        x[d] += dt * u[d]
                    c = walk(x, w, c, &gone, tetra, points, shape, beyond, lets_out)
                    if gone < 0 and returned(w, c, tetra, near):
                        gone = <int> lets_out.shape[0]
                now += dt
                if gone >= 0:
                    continue
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
