# One step of a network of channels: volumes and weights, then each species through nodes, channels and dispersion.

cdef struct NetworkWork:
    double* new              # (cells) volumes after the step
    double* rate             # dt / new
    double* w                # (faces) upwind weights
    double* face
    double* s                # (cells) slopes, then what sources bring
    double* gain             # (cells) mass flow injected (kg/s)
    double* mass             # (channel ends)
    double* leaving          # (nodes) to the outside, then (channel ends) the ghost values


cdef double fullest_outflow(const Network* g, const double* flow, const double* volume,
                            const double* source) noexcept nogil:
    """Largest rate (1/s) at which a cell gives away its volume."""
    cdef int v, i
    cdef double worst = 0.0
    for v in range(g.n_channels):
        for i in range(g.channel[v], g.channel[v + 1]):
            worst = most(worst, given_away(flow[i + v], flow[i + v + 1], most(-source[i], 0.0)) / volume[i])
    return worst


cdef void new_network(const Network* g, const NetworkWork* work, const double* volume, const double* flow,
                      const double* source, double dt) noexcept nogil:
    """Volumes after the step, and the upwind weights of all faces."""
    cdef int v, first, n
    for v in range(g.n_channels):
        first, n = g.channel[v], g.channel[v + 1] - g.channel[v]
        new_volumes(work.new + first, work.rate + first, volume + first, flow + first + v, source + first, dt, n)
        upwind_weights(work.w + first + v, flow + first + v, volume + first, dt, n)


cdef void advance_species(const Network* g, double* c, double* outflow, const NetworkWork* work, const double* flow,
                          const double* external_c, const double* source, double dt, int limiter) noexcept nogil:
    """One explicit step of one species on all channels."""
    cdef int v, i, first, n
    cdef double* s = work.s
    cdef double* ghost = work.leaving + g.n_nodes
    ghosts(g, ghost, c, flow, work.mass, external_c)
    for v in range(g.n_channels):
        first, n = g.channel[v], g.channel[v + 1] - g.channel[v]
        slopes(s + first, c + first, n, ghost[2 * v], ghost[2 * v + 1], limiter)
    end_faces(g, work.face, c, s, work.w, flow)
    mix(g, work.face, outflow, c, flow, work.leaving, external_c, dt)
    entry_slopes(g, s, c, work.face, flow, work.mass)
    for v in range(g.n_channels):
        first, n = g.channel[v], g.channel[v + 1] - g.channel[v]
        inner_faces(work.face + first + v, c + first, s + first, work.w + first + v, flow + first + v, n)
        for i in range(first, first + n):
            s[i] = work.rate[i] * (work.gain[i] - source[i] * c[i])
        s[first] += work.rate[first] * work.mass[2 * v]
        s[first + n - 1] += work.rate[first + n - 1] * work.mass[2 * v + 1]
        carry(c + first, work.face + first + v, flow + first + v, work.rate + first, s + first, n)


cdef void disperse_channels(const Network* g, double* c, const double* volume, double* gain, double* below,
                            double* above, const double* conductance, double dt) noexcept nogil:
    cdef int v, first, n
    for v in range(g.n_channels):
        first, n = g.channel[v], g.channel[v + 1] - g.channel[v]
        if n > 1 and conductance[first + v + 1] > 0.0:
            factor(gain, below, above, volume + first, conductance + first + v, dt, n)
            disperse(c + first, volume + first, gain, below, above, n)


cdef bint renew(double* volume, const double* new, int n) noexcept nogil:
    """Volumes take their new values; whether all are positive."""
    cdef int i
    cdef bint sound = True
    for i in range(n):
        volume[i] = new[i]
        if not new[i] > 0.0:
            sound = False
    return sound
