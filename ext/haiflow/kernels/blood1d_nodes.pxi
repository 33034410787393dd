# All nodes of the network: from the cells at the vessel ends to the fluxes through their faces.
#
# Each node is a junction, an inlet or an outlet. All ends are read before any is written, so the order of nodes does
# not matter.


cdef double mean_pressure(End *ends, int node, Net *net, double otherwise) noexcept nogil:
    # Static pressure at a node: area-weighted over the ends that see it without a loss.
    cdef int i, e
    cdef double area, weight = 0.0, sum = 0.0
    cdef const double *t
    for i in range(net.node_start[node], net.node_start[node + 1]):
        e = net.node_end[i]
        t = net.end + e * END_COLUMNS
        if t[END_VISCOUS] > 0.0 or t[END_TURBULENT] > 0.0 or (t[END_CLOSED] != 0.0 and t[END_SIGN] < 0.0):
            continue
        area = ends[e].q * ends[e].q * ends[e].q * ends[e].q
        weight += area
        sum += area * t[END_B] * (ends[e].q * ends[e].q - t[END_S0])
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
        head[0] = reflect(&ends[list[0]], net.end + list[0] * END_COLUMNS, t[NODE_BASE], t[NODE_REFLECTION])
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


cdef void arrivals(End *ends, Net *net, in_t p, in_t u, in_t hp, in_t hu) noexcept nogil:
    # Pressure and velocity towards the node at each end, extrapolated from its cell.
    cdef int e, j
    cdef const double *t
    for e in range(net.ends):
        t = net.end + e * END_COLUMNS
        j = net.cell[e]
        arrive(&ends[e], t, p[j] + t[END_SIGN] * hp[j], t[END_SIGN] * u[j] + hu[j], net.alpha)


cdef void departures(out_t mass, out_t to_left, out_t to_right, const End *ends, Net *net) noexcept nogil:
    # Fluxes through the end faces; momentum less the pressure force of the state extrapolated from inside.
    cdef int e, j
    cdef double momentum, s
    cdef const double *t
    for e in range(net.ends):
        t = net.end + e * END_COLUMNS
        j = net.face[e]
        mass[j] = t[END_SIGN] * ends[e].flow
        momentum = net.alpha * ends[e].flow * ends[e].v
        s = ends[e].q * ends[e].q
        momentum += t[END_K] * (s * s * s - ends[e].s_in * ends[e].s_in * ends[e].s_in)
        to_left[j] = momentum
        to_right[j] = momentum


cdef void nodes(
    End *ends, double *head, double *charge, double *outflow, double *pressure, long *fallbacks,
    Net *net, int stage, double inlet,
) noexcept nogil:
    # pressure: static, mean of both stages (0 and 1); charge: the capacitors' pressure, renewed by the second.
    cdef int node
    cdef double a, b, mean
    cdef const double *t
    for node in range(net.nodes):
        t = net.node + node * NODE_COLUMNS
        a = t[NODE_BASE]
        b = t[NODE_R1]
        if net.kind[node] == WINDKESSEL and stage == 0:
            a = charge[node]
        elif net.kind[node] == WINDKESSEL:
            windkessel(&a, &b, t, charge[node], outflow[node])
        outflow[node] = couple(ends, &head[node], fallbacks, node, net, inlet, a, b)
        if net.kind[node] == WINDKESSEL and stage == 1:
            charge[node] = a + (b - t[NODE_R1]) * outflow[node]
        mean = mean_pressure(ends, node, net, head[node])
        pressure[node] = mean if stage == 0 else 0.5 * (pressure[node] + mean)


cdef void balance(out_t mass, Net *net, double first_inlet, double second_inlet) noexcept nogil:
    # The mean of two fluxes rounds; the last open end of each node takes what the others leave.
    cdef int node, i, e, last
    cdef double total
    for node in range(net.nodes):
        if net.kind[node] != JUNCTION and net.kind[node] != FLOW_INLET:
            continue
        last = net.node_end[net.node_start[node + 1] - 1]
        if net.end[last * END_COLUMNS + END_CLOSED] != 0.0:
            continue
        total = 0.5 * (first_inlet + second_inlet) if net.kind[node] == FLOW_INLET else 0.0
        for i in range(net.node_start[node], net.node_start[node + 1] - 1):
            e = net.node_end[i]
            total += net.end[e * END_COLUMNS + END_SIGN] * mass[net.face[e]]
        mass[net.face[last]] = -net.end[last * END_COLUMNS + END_SIGN] * total
