# The catheter's lumen: one channel with side holes, fed at face 0, open (or closed) at its tip.
#
# A hole is a sink or a source in its cell; the open end is the last face. Sub-steps are as long as no cell gives away
# more than it has: a full volume a step is the sharpest, a front then moves by whole cells.

from libc.math cimport ceil, fabs, isfinite

cdef struct Lumen:
    int n, tip, limiter      # cells; the hole that is the open end, or -1
    double dt                # sub-step
    const double* flow       # (n + 1)
    double* volume           # (n) before and after the sub-step
    double* new
    double* rate             # dt / new
    double* weight           # (n + 1)
    double* face
    double* s                # slopes, then what the holes bring
    double* source           # net inflow by holes
    double* drained          # outflow by holes


cdef void hole_source(double* source, double* drained, const double[::1] hole_flow, const int[::1] hole_cell, int tip,
                      int n) noexcept nogil:
    """Net inflow by holes (m3/s) of each cell, and the outward part; the open end is a face, not a source."""
    cdef int i, h
    for i in range(n):
        source[i] = 0.0
        drained[i] = 0.0
    for h in range(hole_flow.shape[0]):
        if h != tip:
            source[hole_cell[h]] -= hole_flow[h]
            drained[hole_cell[h]] += most(hole_flow[h], 0.0)


cdef int lumen_sub_steps(const Lumen* w, const double[::1] start, const double[::1] end, double time, double tip_flow,
                         double consistent) noexcept nogil:
    """Sub-steps that let no cell give away more than its volume (3/4 of it where a hole drains); negative if the step
    makes no sense: -1 numbers or volumes, -2 volumes against flows, -3 flow of the open end."""
    cdef int i
    cdef const double* flow = w.flow
    cdef double out, share, worst = 0.0, sound = time, moved, misfit = 0.0
    for i in range(w.n):
        out = time * given_away(flow[i], flow[i + 1], w.drained[i])
        share = 0.75 if w.drained[i] > 0.0 else 1.0
        worst = most(worst, out / (share * least(start[i], end[i])))
        moved = time * (flow[i] - flow[i + 1] + w.source[i])
        misfit = most(misfit, fabs(end[i] - start[i] - moved) - consistent * (out + start[i]))
        sound += start[i] + end[i] + out + moved
        if not (start[i] > 0.0 and end[i] > 0.0):
            return -1
    if not isfinite(sound) or not isfinite(worst) or worst > 1e9 or time < 0.0:
        return -1
    if misfit > 0.0:
        return -2
    if fabs(flow[w.n] - tip_flow) > consistent * fabs(flow[w.n]):
        return -3
    return <int> most(ceil(worst * (1.0 - 1e-13)), 1.0)


cdef void lumen_conductances(double[:, ::1] work, const Lumen* w, const double[::1] face_area,
                             const double[::1] spacing, const double[::1] diffusivity, double length) noexcept nogil:
    """K A / dx (m3/s) of the inner faces, for each species."""
    cdef int i, k
    for k in range(diffusivity.shape[0]):
        for i in range(1, w.n):
            work[8 + 4 * k, i] = face_area[i] / spacing[i] * lumen_dispersion(
                w.flow[i], face_area[i], diffusivity[k], length)


cdef void lumen_factors(double[:, ::1] work, const Lumen* w, int n_species) noexcept nogil:
    cdef int k
    for k in range(n_species):
        factor(&work[9 + 4 * k, 0], &work[10 + 4 * k, 0], &work[11 + 4 * k, 0], w.new, &work[8 + 4 * k, 0], w.dt, w.n)


cdef void lumen_faces(double* face, double* s, double* beyond, const double* c, const double* flow,
                      const double* weight, double inflow, double outside, double rate, int n,
                      int limiter) noexcept nogil:
    """Face values. An end that lets in has the value outside, which sits at the face, half a cell away: twice the
    difference is the slope towards it. Beyond the open end the liquid that left stands in one more cell, for the slope
    of the last; at face 0 what is pushed back has the first cell's value."""
    cdef double left = inflow if flow[0] > 0.0 else c[0]
    cdef double right = outside
    if flow[n] < 0.0:
        slopes(s, c, n, 2.0 * left - c[0], 2.0 * right - c[n - 1], limiter)
        s[n - 1] = bounded(s[n - 1], right - c[n - 1])
        beyond[0] = c[n - 1]
    else:
        slopes(s, c, n, 2.0 * left - c[0], beyond[0], limiter)
        right = c[n - 1] + weight[n] * s[n - 1] if flow[n] > 0.0 else c[n - 1]
        beyond[0] += least(rate * flow[n], 1.0) * (right - beyond[0]) if flow[n] > 0.0 else c[n - 1] - beyond[0]
    s[0] = bounded(s[0], c[0] - left)
    inner_faces(face, c, s, weight, flow, n)
    face[0] = left
    face[n] = right


cdef void lumen_holes(double[:, ::1] mass, double* gained, const double[:, ::1] c, const double* rate,
                      const double[:, ::1] outside, const double[::1] hole_flow, const int[::1] hole_cell, int tip,
                      double dt, int n, int k) noexcept nogil:
    """What the holes (but the open end) take and bring; ``gained`` is the rise of concentration by what they bring."""
    cdef int i, h
    for i in range(n):
        gained[i] = 0.0
    for h in range(hole_flow.shape[0]):
        if h == tip:
            continue
        i = hole_cell[h]
        if hole_flow[h] > 0.0:
            mass[k, h] += dt * hole_flow[h] * c[k, i]
        else:
            mass[k, h] += dt * hole_flow[h] * outside[k, h]
            gained[i] -= rate[i] * hole_flow[h] * (outside[k, h] - c[k, i])


cdef void lumen_species(double[:, ::1] hole_mass, double[::1] inlet_mass, double[:, ::1] c, double[::1] beyond,
                        double[:, ::1] work, const Lumen* w, const double[::1] hole_flow, const double[::1] inflow,
                        const double[:, ::1] outside, const int[::1] hole_cell, int k) noexcept nogil:
    """One sub-step of species k."""
    cdef int n = w.n, tip = w.tip
    lumen_faces(w.face, w.s, &beyond[k], &c[k, 0], w.flow, w.weight, inflow[k],
                outside[k, tip] if tip >= 0 else 0.0, w.rate[n - 1], n, w.limiter)
    inlet_mass[k] += w.dt * w.flow[0] * w.face[0]
    if tip >= 0:
        hole_mass[k, tip] += w.dt * w.flow[n] * w.face[n]
    lumen_holes(hole_mass, w.s, c, w.rate, outside, hole_flow, hole_cell, tip, w.dt, n, k)
    carry(&c[k, 0], w.face, w.flow, w.rate, w.s, n)
    disperse(&c[k, 0], w.new, &work[9 + 4 * k, 0], &work[10 + 4 * k, 0], &work[11 + 4 * k, 0], n)
