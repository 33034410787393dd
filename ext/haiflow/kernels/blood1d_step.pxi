# One whole step: every vessel takes its own steps of Heun's two stages, and each node those of its fastest vessel.
# Each stage sweeps a block once while it lies in the cache.

cdef enum:
    DONE, BAD_AREA, TOO_FAST
cdef enum:
    AREAS, WAVES             # kinds of what is found wrong

cdef int SPEED_CHECK_EVERY = 16
cdef int HALO = 2

cdef struct Step:
    Net net
    Walls walls
    Team team
    End *ends
    double *area             # (slots) state at the start, changed in place
    double *flow
    double *head             # (nodes)
    double *charge
    double *end_volume       # (ends)
    double *mass_1           # (slots) flux of the first stage; of the second after it where walls are viscous
    double *area_1           # state after the first stage
    double *flow_1
    double *change           # (slots) of the flow rate in the first stage, where walls are viscous
    double *answer
    double *mass_0           # flux of the first stage; in the second less twice of it
    double *outflow          # (nodes)
    double *now              # (nodes) static pressure at the start of a step
    double *mean             # (slots) effective flux of this whole step, NULL where nobody asks
    double *pressure         # (nodes) static pressure, mean of this whole step
    double *u                # of a block, with its halo: velocity, pressure, half their differences across each cell
    double *p
    double *hu
    double *hp
    double *mass             # and its fluxes
    double *to_left
    double *to_right
    double *both             # mean flux of both stages
    const double *s0         # rows of the cell and face tables
    const double *b
    const double *dtdx
    const double *source
    const double *speed
    const double *wall_cell
    const double *cubic
    const double *face_s0
    const double *slack
    const double *k
    const double *inlet      # (fine steps in a cycle) boundary value
    int fine, period
    double dt, friction, speed_limit
    bint viscous, sourced
    long fallbacks


cdef struct Window:
    # A block with its halo in the arrays, and where the block lies within it. Only a part of a vessel has a halo.
    int first_vessel, last_vessel, begin, n, first, slots
    bint starts, ends        # whether the first and the last vessel do so here
    double dt


cdef Window window(Step *w, int index) noexcept nogil:
    cdef const int *row = w.team.block + index * BLOCK_COLUMNS
    cdef int lo = row[BLOCK_FIRST], hi = row[BLOCK_LAST], last
    cdef Window at
    at.first_vessel, at.last_vessel = row[BLOCK_VESSEL], row[BLOCK_LAST_VESSEL]
    last = w.net.cell[2 * at.last_vessel + 1]
    at.starts = lo == w.net.cell[2 * at.first_vessel]
    at.ends = hi == last
    at.begin = lo if at.starts else lo - HALO
    at.n = (hi + HALO if hi + HALO < last else last) - at.begin + 1
    at.first = lo - at.begin
    at.slots = hi - lo + 1
    at.dt = w.dt * <double> (1 << w.net.level[at.first_vessel])
    return at


cdef inline int first_cell(const Step *w, const Window *at, int v) noexcept nogil:
    # Within the window; -1 where the vessel has begun before.
    return w.net.cell[2 * v] - at.begin if v > at.first_vessel or at.starts else -1


cdef inline int last_cell(const Step *w, const Window *at, int v) noexcept nogil:
    # Within the window; -1 where the vessel goes on.
    return w.net.cell[2 * v + 1] - at.begin if v < at.last_vessel or at.ends else -1


cdef void one_sided(Step *w, const Window *at) noexcept nogil:
    # Slopes in the end cells of each vessel.
    cdef int v, j
    for v in range(at.first_vessel, at.last_vessel + 1):
        j = first_cell(w, at, v)
        if j >= 0:
            w.hp[j] = 0.5 * (w.p[j + 1] - w.p[j])
            w.hu[j] = 0.5 * (w.u[j + 1] - w.u[j])
        j = last_cell(w, at, v)
        if j >= 0:
            w.hp[j] = 0.5 * (w.p[j] - w.p[j - 1])
            w.hu[j] = 0.5 * (w.u[j] - w.u[j - 1])


cdef void shut_ends(Step *w, const Window *at) noexcept nogil:
    # What passes a vessel's ends is the nodes' business.
    cdef int v, j
    for v in range(at.first_vessel, at.last_vessel + 1):
        j = first_cell(w, at, v)
        if j >= 0:
            w.mass[j] = w.to_left[j] = w.to_right[j] = 0.0
        j = last_cell(w, at, v) + 1
        if j > 0:
            w.mass[j] = w.to_left[j] = w.to_right[j] = 0.0


cdef void fluxes_of(Step *w, const Window *at, const double *area, const double *flow) noexcept nogil:
    # All fluxes of a block inside its vessels, from one state.
    cdef int j = at.begin
    primitives(w.u, w.p, area + j, flow + j, w.s0 + j, w.b + j, at.n)
    half_slopes(w.hp, w.p, at.n)
    half_slopes(w.hu, w.u, at.n)
    one_sided(w, at)
    face_fluxes(w.mass, w.to_left, w.to_right, w.p, w.u, w.hp, w.hu, w.face_s0 + j, w.slack + j, w.k + j,
                w.net.alpha, at.n)
    shut_ends(w, at)


cdef void hold_walls(Step *w, const Window *at, const double *area) noexcept nogil:
    # What the nodes will see of the viscous walls in this stage.
    cdef int v, i, j
    cdef const double *mass = w.mass - at.begin
    for v in range(at.first_vessel, at.last_vessel + 1):
        i, j = w.net.cell[2 * v], w.net.cell[2 * v + 1]
        wall_end(&w.ends[2 * v], area, w.wall_cell, -mass[i + 1], -mass[i + 2], i, i + 1, j - i > 1)
        wall_end(&w.ends[2 * v + 1], area, w.wall_cell, mass[j], mass[j - 1], j, j - 1, j - i > 1)


cdef void predict(Step *w, int index) noexcept nogil:
    # First stage of a block, but for what passes the vessels' ends; what arrives there at the start of the step.
    cdef Window at = window(w, index)
    cdef int v, i, j = at.begin + at.first, f = at.first
    fluxes_of(w, &at, w.area, w.flow)
    if w.viscous:
        hold_walls(w, &at, w.area)
    first_stage(w.area_1 + j, w.flow_1 + j, w.area + j, w.flow + j, w.mass + f, w.to_left + f, w.to_right + f,
                w.hp + f, w.u + f, w.dtdx + j, w.cubic + j, at.dt * w.friction, 2.0 / w.net.rho, at.slots)
    copy(w.mass_1 + j, w.mass + f, at.slots)
    if w.sourced:
        add(w.area_1 + j, w.source + j, at.dt, at.slots)
    for v in range(at.first_vessel, at.last_vessel + 1):
        i = first_cell(w, &at, v)
        if i >= 0:
            w.ends[2 * v].p_0 = w.p[i] - w.hp[i]
            w.ends[2 * v].v_0 = w.hu[i] - w.u[i]
        i = last_cell(w, &at, v)
        if i >= 0:
            w.ends[2 * v + 1].p_0 = w.p[i] + w.hp[i]
            w.ends[2 * v + 1].v_0 = w.u[i] + w.hu[i]


cdef void correct(Step *w, int index) noexcept nogil:
    # Second stage of a block, but for what passes the vessels' ends; what arrives there at the end of the step.
    cdef Window at = window(w, index)
    cdef int v, i, j = at.begin + at.first, f = at.first
    cdef long positive
    fluxes_of(w, &at, w.area_1, w.flow_1)
    mean_flux(w.both, w.mass_1 + j, w.mass + f, at.slots + 1)
    if w.viscous:
        hold_walls(w, &at, w.area_1)
        copy(w.mass_1 + j, w.mass + f, at.slots)
    if w.sourced:
        add(w.area + j, w.source + j, at.dt, at.slots)
    positive = second_stage(w.area + j, w.flow + j, w.area_1 + j, w.flow_1 + j, w.both, w.to_left + f,
                            w.to_right + f, w.hp + f, w.u + f, w.dtdx + j, w.cubic + j, at.dt * w.friction,
                            2.0 / w.net.rho, at.slots)
    if w.mean != NULL:
        add(w.mean + j, w.both, SHARE[w.net.top - w.net.level[at.first_vessel]], at.slots)
    for v in range(at.first_vessel, at.last_vessel + 1):
        # The end cells still want what passes the node: their area is looked at there.
        i = first_cell(w, &at, v)
        if i >= 0:
            w.ends[2 * v].p_1 = w.p[i] - w.hp[i]
            w.ends[2 * v].v_1 = w.hu[i] - w.u[i]
            positive += not w.area[at.begin + i] > 0.0
        i = last_cell(w, &at, v)
        if i >= 0:
            w.ends[2 * v + 1].p_1 = w.p[i] + w.hp[i]
            w.ends[2 * v + 1].v_1 = w.u[i] + w.hu[i]
            positive += not w.area[at.begin + i] > 0.0
    w.team.bad[8 * w.team.thread + AREAS] += positive < at.slots


include "blood1d_wall_ends.pxi"


ctypedef void (*work_t)(Step *w, int index) noexcept nogil


cdef void sweep_shared_first(Step *w, work_t work, int top) noexcept nogil:
    # This thread's blocks of the levels up to `top`; others may go on when those are done that they share.
    cdef int level, i
    cdef const int *part
    for level in range(top + 1):
        part = part_of(&w.team, w.team.block_range, level)
        for i in range(part[0], part[1]):
            work(w, i)
    arrive_at(&w.team)
    for level in range(top + 1):
        part = part_of(&w.team, w.team.block_range, level)
        for i in range(part[1], part[2]):
            work(w, i)
    wait_for(&w.team)


cdef void node_step(Step *w, int node, int number) noexcept nogil:
    # One stage (0 or 1) of a node; the second renews the capacitor and settles the volumes.
    cdef Net *net = &w.net
    cdef const double *t = net.node + node * NODE_COLUMNS
    cdef int span = 1 << net.node_level[node]
    cdef int fine = w.fine & ((1 << net.top) - 1)
    cdef double first = 0.0, second = 0.0, a = t[NODE_BASE], b = t[NODE_R1], p
    if net.kind[node] == FLOW_INLET or net.kind[node] == PRESSURE_INLET:
        first, second = w.inlet[w.fine % w.period], w.inlet[(w.fine + span) % w.period]
    arrivals(w.ends, node, number, fine, net)
    if net.kind[node] == WINDKESSEL and number == 0:
        a = w.charge[node]
    elif net.kind[node] == WINDKESSEL:
        windkessel(&a, &b, t, w.charge[node], w.outflow[node])
    w.outflow[node] = couple(w.ends, &w.head[node], &w.fallbacks, node, net, first if number == 0 else second, a, b)
    p = mean_pressure(w.ends, node, net, w.head[node])
    w.pressure[node] += 0.5 * p * SHARE[net.top - net.node_level[node]]
    if number == 0:
        w.now[node] = p
        depart(w.area_1, w.flow_1, w.ends, node, fine, net)
        return
    if net.kind[node] == WINDKESSEL:
        w.charge[node] = a + (b - t[NODE_R1]) * w.outflow[node]
    w.team.bad[8 * w.team.thread + AREAS] += settle_up(
        w.area, w.flow, w.end_volume, w.mean, w.ends, node, fine, 0.5 * (first + second),
        w.dt * <double> span, net)


cdef void node_sweep(Step *w, int number, int top) noexcept nogil:
    # This thread's nodes of the levels up to `top`, those first that others wait for.
    cdef int level, i
    cdef const int *part
    for level in range(top + 1):
        part = part_of(&w.team, w.team.node_range, level)
        for i in range(part[0], part[1]):
            node_step(w, w.team.node_order[i], number)
    arrive_at(&w.team)
    for level in range(top + 1):
        part = part_of(&w.team, w.team.node_range, level)
        for i in range(part[1], part[2]):
            node_step(w, w.team.node_order[i], number)
    wait_for(&w.team)


cdef int first_half(Step *w, int fine) noexcept nogil:
    # Predictions of all that begin a step at this fine step, and the nodes there; returns the coarsest level of them.
    cdef int top = 0
    while top < w.net.top and fine & (1 << top) == 0:
        top += 1
    sweep_shared_first(w, predict, top)
    node_sweep(w, 0, top)
    return top


cdef void second_half(Step *w, int top) noexcept nogil:
    if w.viscous:
        wall_stage(w, 0)
    sweep_shared_first(w, correct, top)
    node_sweep(w, 1, top)
    if w.viscous:
        wall_stage(w, 1)


cdef long count_fast(Step *w) noexcept nogil:
    # Cells of this thread whose waves outrun their step.
    cdef int level, i
    cdef long count = 0
    cdef const int *part
    cdef const int *row
    for level in range(w.net.top + 1):
        part = part_of(&w.team, w.team.block_range, level)
        for i in range(part[0], part[2]):
            row = w.team.block + i * BLOCK_COLUMNS
            count += too_fast(
                w.area + row[BLOCK_FIRST], w.flow + row[BLOCK_FIRST], w.speed + row[BLOCK_FIRST],
                w.dtdx + row[BLOCK_FIRST], w.net.alpha, w.speed_limit, row[BLOCK_LAST] - row[BLOCK_FIRST] + 1)
    return count
