# All nodes of the network: from the cells at the vessel ends to the fluxes through their faces.
#
# Each node is a junction, an inlet or an outlet. All ends are read before any is written, so the order of nodes does
# not matter. A node steps with its fastest vessel: what arrives from a slower one lies on the line between its state
# and its own prediction, and it takes the sum of the fluxes of all the node's steps, so the books close exactly.


cdef inline double mean_pressure(End *ends, int node, Net *net, double otherwise) noexcept nogil:
    # Static pressure at a node: area-weighted over the ends that see it without a loss. Nothing flows in a closed end:
    # whatever the loss there, it has none. A vessel that is shut at its start shows what lies behind.
    cdef int i, e
    cdef double area, weight = 0.0, sum = 0.0
    cdef const double *t
    for i in range(net.node_start[node], net.node_start[node + 1]):
        e = net.node_end[i]
        t = net.end + e * END_COLUMNS
        if t[END_CLOSED] == SHUT or (t[END_CLOSED] == OPEN and (t[END_VISCOUS] > 0.0 or t[END_TURBULENT] > 0.0)):
            continue
        area = ends[e].q * ends[e].q * ends[e].q * ends[e].q
        weight += area
        sum += area * (t[END_B] * (ends[e].q * ends[e].q - t[END_S0]) + ends[e].resist * (ends[e].f_in - ends[e].flow))
    return sum / weight if weight > 0.0 else otherwise


cdef double couple(
    End *ends, double *head, long *fallbacks, int node, Net *net, double inlet, double a, double b,
) noexcept nogil:
    # States at one node; returns the flow that leaves the network there. Outlet: pressure = a + b flow.
    cdef const int *list = net.node_end + net.node_start[node]
    cdef int count = net.node_start[node + 1] - net.node_start[node]
    cdef int kind = net.kind[node], i, closed = close_ends(ends, list, count, net)
    cdef const double *t = net.node + node * NODE_COLUMNS
    cdef double total = 0.0
    cdef Condition at
    list += closed
    count -= closed
    if count == 0:
        head[0] = inlet if kind == PRESSURE_INLET else mean_pressure(ends, node, net, 0.0)
        return 0.0
    if kind == REFLECTION:
        head[0] = reflect(&ends[list[0]], net.end + list[0] * END_COLUMNS, t[NODE_BASE], t[NODE_REFLECTION],
                          fallbacks)
        return ends[list[0]].flow
    at = condition(kind, head[0], inlet, a, b)
    join(ends, &at, list, count, net, t[NODE_KINETIC], fallbacks)
    head[0] = at.head
    if kind == JUNCTION or kind == FLOW_INLET:
        conserve(ends, list, count, at.inflow)
        return 0.0
    for i in range(count):
        total += ends[list[i]].flow
    return total


cdef inline void arrivals(End *ends, int node, int number, int fine, Net *net) noexcept nogil:
    # Pressure and velocity towards the node from each of its vessels, at the start (0) or end (1) of the node's step.
    cdef int i, e, span, elapsed
    cdef double share
    for i in range(net.node_start[node], net.node_start[node + 1]):
        e = net.node_end[i]
        span = 1 << net.level[e >> 1]
        elapsed = (fine & (span - 1)) + (number << net.node_level[node])
        if elapsed == 0:
            arrive(&ends[e], net.end + e * END_COLUMNS, ends[e].p_0, ends[e].v_0, net.alpha)
        elif elapsed == span:
            arrive(&ends[e], net.end + e * END_COLUMNS, ends[e].p_1, ends[e].v_1, net.alpha)
        else:
            share = elapsed * SHARE[net.level[e >> 1]]
            arrive(&ends[e], net.end + e * END_COLUMNS, ends[e].p_0 + share * (ends[e].p_1 - ends[e].p_0),
                   ends[e].v_0 + share * (ends[e].v_1 - ends[e].v_0), net.alpha)


cdef inline double momentum(const End *end, const double *t, double alpha) noexcept nogil:
    # Through the end face, less the pressure force of the state extrapolated from inside.
    cdef double s = end.q * end.q
    return alpha * end.flow * end.v + t[END_K] * (s * s * s - end.s_in * end.s_in * end.s_in)


cdef inline void depart(out_t area_1, out_t flow_1, End *ends, int node, int fine, Net *net) noexcept nogil:
    # First stage: what the end faces add to the prediction of the vessels whose step begins.
    cdef int i, e, v
    cdef const double *t
    for i in range(net.node_start[node], net.node_start[node + 1]):
        e = net.node_end[i]
        v = e >> 1
        t = net.end + e * END_COLUMNS
        ends[e].flow_1 = ends[e].flow
        ends[e].momentum_1 = momentum(&ends[e], t, net.alpha)
        if fine & ((1 << net.level[v]) - 1) == 0:
            area_1[net.cell[e]] -= net.dtdx[v] * ends[e].flow
            flow_1[net.cell[e]] -= t[END_SIGN] * net.dtdx[v] * ends[e].momentum_1


cdef bint holds_balance(int node, Net *net) noexcept nogil:
    # Whether flows at a node sum to what is given: then the last open end takes what the others leave.
    cdef int last = net.node_end[net.node_start[node + 1] - 1]
    cdef bint summed = net.kind[node] == JUNCTION or net.kind[node] == FLOW_INLET
    return summed and net.end[last * END_COLUMNS + END_CLOSED] == 0.0


cdef inline long settle_up(
    out_t area, out_t flow, double *volume, double *mean, End *ends, int node, int fine, double inflow, double dt,
    Net *net,
) noexcept nogil:
    # Second stage: the mean fluxes of the node's step go to the end cells, the volumes and the mean of the whole step.
    # Returns how many vessels that are done with their step have a bad area there.
    cdef int i, e, v, last = net.node_end[net.node_start[node + 1] - 1]
    cdef long bad = 0
    cdef double through, moved, share, whole, total = inflow
    cdef bint balanced = holds_balance(node, net)
    cdef const double *t
    whole = SHARE[net.top - net.node_level[node]]
    for i in range(net.node_start[node], net.node_start[node + 1]):
        e = net.node_end[i]
        v = e >> 1
        t = net.end + e * END_COLUMNS
        through = -total if balanced and e == last else 0.5 * (ends[e].flow_1 + ends[e].flow)
        total += through
        share = SHARE[net.level[v] - net.node_level[node]]
        moved = share * 0.5 * (ends[e].momentum_1 + momentum(&ends[e], t, net.alpha))
        if fine & ((1 << net.level[v]) - 1) == 0:
            moved -= 0.5 * ends[e].momentum_1  # is in the prediction already
        area[net.cell[e]] -= net.dtdx[v] * share * through
        flow[net.cell[e]] -= t[END_SIGN] * net.dtdx[v] * moved
        volume[e] += dt * t[END_SIGN] * through
        if mean != NULL:
            mean[net.face[e]] += t[END_SIGN] * through * whole
        if (fine + (1 << net.node_level[node])) & ((1 << net.level[v]) - 1) == 0:
            bad += not area[net.cell[e]] > 0.0
    return bad
