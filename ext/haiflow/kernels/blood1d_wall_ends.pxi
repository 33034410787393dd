# The viscous wall in a step: each stage's changes of flow rate go through (1 - g dt J), of all vessels and nodes.
#
# With the flow rates f at its ends a vessel's cells change by `answer + f_start start + f_end end`; f is linear in the
# heads at its nodes, and the flow rates at each node sum to what its outlet takes: a sparse system for the heads, whose
# factors thread 0 goes through.


cdef int REPEATS = 3         # of the heads, where reflecting outlets take more of them than at pressure zero


cdef void unrelaxed(Step *w, int index, int stage) noexcept nogil:
    # Into `answer`: changes in a stage as the cells' fluxes have it, then relaxed with no flow through the ends.
    cdef Window at = window(w, index)
    cdef int v, i, n, k
    cdef const double *area = w.area if stage == 0 else w.area_1
    cdef double *mass
    cdef double *moved
    for v in range(at.first_vessel, at.last_vessel + 1):
        i, n = w.net.cell[2 * v], w.net.cell[2 * v + 1] - w.net.cell[2 * v] + 1
        mass, moved = w.mass_1 + i, w.mass_0 + i
        mass[0], mass[n] = -w.ends[2 * v].flow, w.ends[2 * v + 1].flow
        if stage == 0:
            copy(moved, mass, n + 1)
            for k in range(i, i + n):
                w.answer[k] = w.flow_1[k] - w.flow[k]
        else:
            less_twice(moved, mass, n + 1)
            for k in range(i, i + n):
                w.answer[k] = 2.0 * (w.flow[k] - w.flow_1[k]) - w.change[k]
        swelling(w.p, area + i, mass, moved, w.wall_cell + i, w.walls.soft + i, n)
        push_apart(w.answer + i, w.p, area + i, w.dtdx + i, w.net.rho, n)
        w.ends[2 * v].push = soft_end(area + i, moved, w.walls.soft + i, 0, 1, n)
        w.ends[2 * v + 1].push = soft_end(area + i, moved, w.walls.soft + i, n - 1, n - 2, n)
        relax(w.answer + i, w.walls.inertia + i, w.walls.off + i, w.walls.pivot + i, n)
        mass[0] = mass[n] = 0.0  # what passes a vessel's ends is the nodes' business


cdef inline double end_change(Step *w, int e) noexcept nogil:
    # Of the flow rate along a vessel at its end, but for what its nodes' heads do.
    cdef int v = e >> 1
    cdef const double *row = w.walls.end + e * WALL_END_COLUMNS
    return (row[0] * w.answer[w.net.cell[2 * v]] + row[1] * w.answer[w.net.cell[2 * v + 1]]
            - row[2] * w.ends[2 * v].push - row[3] * w.ends[2 * v + 1].push)


cdef inline double driven(Step *w, int node) noexcept nogil:
    # Flow rate into a node by what its inlet or its capacitor does in this step.
    cdef const double *t = w.net.node + node * NODE_COLUMNS
    cdef double change = w.inlet[(w.fine + 1) % w.period] - w.inlet[w.fine % w.period]
    if w.net.kind[node] == FLOW_INLET:
        return change
    if w.net.kind[node] == PRESSURE_INLET:
        return w.walls.taken[node] * change
    if w.net.kind[node] != WINDKESSEL:
        return 0.0
    change = w.outflow[node] - t[NODE_DISTAL_CONDUCTANCE] * (w.charge[node] - t[NODE_BASE])
    return w.walls.taken[node] * t[NODE_DT_OVER_C] * change


cdef void solve_factors(Walls *walls, int n) noexcept nogil:
    # Heads of what `work` holds in the rows' order, by L and then U, both by columns.
    cdef int node, i, k
    for i in range(n):
        for k in range(walls.lower_start[i] + 1, walls.lower_start[i + 1]):
            walls.work[walls.lower_row[k]] -= walls.lower[k] * walls.work[i]
    for i in range(n - 1, -1, -1):
        walls.work[i] /= walls.upper[walls.upper_start[i + 1] - 1]
        for k in range(walls.upper_start[i], walls.upper_start[i + 1] - 1):
            walls.work[walls.upper_row[k]] -= walls.upper[k] * walls.work[i]
    for node in range(n):
        walls.head[node] = walls.work[walls.column[node]]


cdef inline double rise(Step *w, int node) noexcept nogil:
    # How much more of its head a reflecting outlet takes now than at pressure zero, over that: the slope of
    # its law, flow = const s^2 (sqrt(s) - sqrt(s_base)) with s the root of the area that the head would hold open.
    cdef const double *t = w.net.node + node * NODE_COLUMNS
    cdef const double *e = w.net.end + w.net.node_end[w.net.node_start[node]] * END_COLUMNS
    cdef double s = upper(e[END_S0] + w.head[node] / e[END_B], 0.05 * e[END_ROOT])
    cdef double base = upper(e[END_S0] + t[NODE_BASE] / e[END_B], 0.05 * e[END_ROOT])
    cdef double now = s * (5.0 * sqrt(s) - 4.0 * sqrt(base)) / (e[END_ROOT] * sqrt(e[END_ROOT]))
    return upper(lower(now - 1.0, 1.0), -0.5)


cdef void solve_heads(Step *w, int stage) noexcept nogil:
    # One head for each node. A strong wall makes an outlet's answer stiff, and with that of pressure zero in J the flow
    # would be late wherever it is another. The factors are kept: what they leave out goes to the right-hand side.
    cdef Walls *walls = &w.walls
    cdef int node, i, e, n = w.net.nodes, _again
    for node in range(n):
        walls.right[node] = driven(w, node) * (1.0 - 2.0 * stage)
        for i in range(w.net.node_start[node], w.net.node_start[node + 1]):
            e = w.net.node_end[i]
            walls.right[node] += w.net.end[e * END_COLUMNS + END_SIGN] * end_change(w, e)
        walls.work[walls.row[node]] = walls.right[node]
        if stage == 0 and walls.sent_back[node] > 0.0:
            walls.more[node] = walls.sent_back[node] * rise(w, node)
    solve_factors(walls, n)
    for _again in range(REPEATS if walls.reflect else 0):
        for node in range(n):
            walls.work[walls.row[node]] = walls.right[node] - walls.more[node] * walls.head[node]
        solve_factors(walls, n)


cdef void relaxed(Step *w, int index, int stage) noexcept nogil:
    # The changes with what the ends' flow rates add, and the state after the stage.
    cdef Window at = window(w, index)
    cdef int v, i, j, k
    cdef double start, end, into, out_of
    cdef const double *row
    for v in range(at.first_vessel, at.last_vessel + 1):
        i, j = w.net.cell[2 * v], w.net.cell[2 * v + 1]
        into, out_of = w.walls.head[w.walls.node[2 * v]], w.walls.head[w.walls.node[2 * v + 1]]
        row = w.walls.end + 2 * v * WALL_END_COLUMNS
        start = end_change(w, 2 * v) + row[2] * into + row[3] * out_of
        row += WALL_END_COLUMNS
        end = end_change(w, 2 * v + 1) + row[2] * into + row[3] * out_of
        for k in range(i, j + 1):
            w.answer[k] += start * w.walls.start[k] + end * w.walls.finish[k]
            if stage == 0:
                w.change[k] = w.answer[k]
                w.flow_1[k] = w.flow[k] + w.answer[k]
            else:
                w.flow[k] = w.flow_1[k] + 0.5 * (w.change[k] + w.answer[k])


cdef void wall_stage(Step *w, int stage) noexcept nogil:
    # All vessels of this thread, which are whole and take common steps.
    cdef int i
    cdef const int *part = part_of(&w.team, w.team.block_range, 0)
    for i in range(part[0], part[2]):
        unrelaxed(w, i, stage)
    meet(&w.team)
    if w.team.thread == 0:
        solve_heads(w, stage)
    meet(&w.team)
    for i in range(part[0], part[2]):
        relaxed(w, i, stage)
