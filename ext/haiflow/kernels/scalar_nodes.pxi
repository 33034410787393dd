# Where the channels of a network meet.
#
# Channel v has cells channel[v] .. channel[v + 1] and faces channel[v] + v .. channel[v + 1] + v (both included).
# Channel ends 2 v (start) and 2 v + 1 (end) meet at nodes: node_start (n_nodes + 1) points into end_list, which holds
# each node's ends. A node has no volume: what flows in mixes, and leaves at the mixture's concentration. Where
# external[node] = e >= 0 the sum of the ends' flows enters or leaves by the outside e; what enters has external_c, or,
# where external_c is NaN, the mean of the node's end cells.

cdef struct Network:
    int n_channels
    int n_nodes
    const int* channel
    const int* node_start
    const int* end_list
    const int* external


cdef inline int end_cell(const Network* g, int end) noexcept nogil:
    return g.channel[end // 2 + 1] - 1 if end % 2 else g.channel[end // 2]


cdef inline int end_face(const Network* g, int end) noexcept nogil:
    return end_cell(g, end) + end // 2 + end % 2


cdef inline double flow_away(const Network* g, const double* flow, int end) noexcept nogil:
    """Flow from the node into the channel at one of its ends."""
    cdef int v = end // 2
    return -flow[g.channel[v + 1] + v] if end % 2 else flow[g.channel[v] + v]


cdef double outside_inflow(const Network* g, const double* flow, int node) noexcept nogil:
    """What enters the network at the node from outside (negative: leaves)."""
    cdef double away = 0.0
    cdef int p
    if g.external[node] < 0:
        return 0.0
    for p in range(g.node_start[node], g.node_start[node + 1]):
        away += flow_away(g, flow, g.end_list[p])
    return away


cdef double entering(const Network* g, const double* c, const double* external_c, int node) noexcept nogil:
    """Concentration of what enters at the node from outside."""
    cdef double given = external_c[g.external[node]], total = 0.0
    cdef int p
    if given == given:
        return given
    for p in range(g.node_start[node], g.node_start[node + 1]):
        total += c[end_cell(g, g.end_list[p])]
    return total / (g.node_start[node + 1] - g.node_start[node])


cdef struct Mixture:
    double flow, amount


cdef inline void add(Mixture* m, double flow, double c) noexcept nogil:
    m.flow += most(flow, 0.0)
    m.amount += most(flow, 0.0) * c


cdef inline Mixture mixture(double flow, double c) noexcept nogil:
    cdef Mixture m
    m.flow = most(flow, 0.0)
    m.amount = m.flow * c
    return m


cdef void ghosts(const Network* g, double* ghost, const double* c, const double* flow, const double* mass,
                 const double* external_c) noexcept nogil:
    """Neighbour value beyond each channel end: the mixture of the cells upstream of its node for a flow that enters the
    channel, of those downstream for one that leaves it, its own cell where there is none."""
    cdef int node, p, end
    cdef double away, inward
    cdef Mixture up, down
    for node in range(g.n_nodes):
        inward = outside_inflow(g, flow, node)
        up = mixture(inward, entering(g, c, external_c, node) if inward > 0.0 else 0.0)
        down = mixture(0.0, 0.0)
        for p in range(g.node_start[node], g.node_start[node + 1]):
            end = g.end_list[p]
            away = flow_away(g, flow, end)
            add(&up, -away, c[end_cell(g, end)])
            add(&down, away, c[end_cell(g, end)])
        for p in range(g.node_start[node], g.node_start[node + 1]):
            end = g.end_list[p]
            away = flow_away(g, flow, end)
            ghost[end] = c[end_cell(g, end)]
            if away > 0.0 and up.flow > 0.0:
                ghost[end] = up.amount / up.flow + mass[end] / away
            elif away < 0.0 and down.flow > 0.0:
                ghost[end] = down.amount / down.flow


cdef void end_faces(const Network* g, double* face, const double* c, const double* s, const double* w,
                    const double* flow) noexcept nogil:
    """Face values of the channel ends that flow into their node."""
    cdef int end, f, i
    for end in range(2 * g.n_channels):
        i = end_cell(g, end)
        f = end_face(g, end)
        face[f] = c[i] + w[f] * s[i] if flow_away(g, flow, end) < 0.0 else c[i]


cdef void mix(const Network* g, double* face, double* outflow, const double* c, const double* flow,
              const double* leaving, const double* external_c, double dt) noexcept nogil:
    """Give the ends that flow away from a node the mixture's value; add what leaves by the outside."""
    cdef int node, p, end
    cdef double inward, value
    cdef Mixture m
    for node in range(g.n_nodes):
        inward = outside_inflow(g, flow, node)
        value = entering(g, c, external_c, node) if inward > 0.0 else 0.0
        m = mixture(inward, value)
        if inward > 0.0:
            outflow[g.external[node]] -= dt * inward * value
        for p in range(g.node_start[node], g.node_start[node + 1]):
            end = g.end_list[p]
            add(&m, -flow_away(g, flow, end), face[end_face(g, end)])
        if m.flow > 0.0:
            for p in range(g.node_start[node], g.node_start[node + 1]):
                end = g.end_list[p]
                if flow_away(g, flow, end) > 0.0:
                    face[end_face(g, end)] = m.amount / m.flow
        if g.external[node] >= 0:
            if inward < 0.0 and m.flow > 0.0:
                outflow[g.external[node]] -= dt * inward * m.amount / m.flow
            outflow[g.external[node]] += dt * leaving[node]


cdef void entry_slopes(const Network* g, double* s, const double* c, const double* face, const double* flow,
                       const double* mass) noexcept nogil:
    """Bound the slope of a cell that a node feeds by the value that enters."""
    cdef int end, i, f
    cdef double away, value
    for end in range(2 * g.n_channels):
        away = flow_away(g, flow, end)
        i = end_cell(g, end)
        f = end_face(g, end)
        if away > 0.0:
            value = face[f] + mass[end] / away
            s[i] = bounded(s[i], value - c[i] if end % 2 else c[i] - value)
