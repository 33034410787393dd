# One time step: Heun's two stages between the halves of the viscous wall, its samples and its checks.

cdef enum:
    DONE, BAD_AREA, TOO_FAST

cdef int SPEED_CHECK_EVERY = 16

cdef struct Step:
    Net net
    End *ends
    double *area             # (slots) state at the start, changed in place
    double *flow
    double *head             # (nodes)
    double *charge
    double *u                # velocity, pressure, half their differences across each cell
    double *p
    double *hu
    double *hp
    double *mass_1           # fluxes of the two stages
    double *mass_2
    double *to_left          # one-sided momentum fluxes
    double *to_right
    double *area_1           # state after the first stage
    double *flow_1
    double *outflow          # (nodes)
    double *mean             # effective flux of this step
    double *pressure         # (nodes) static pressure, mean of this step
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
    const double *cc
    const double *wall_face
    double inlet_1, inlet_2  # boundary value in the two stages
    double dt, friction, per_rho, speed_limit
    bint viscous
    long fallbacks


cdef void half_wall(Step *w) noexcept nogil:
    if w.viscous:
        viscous_wall(w.flow, w.area, w.mass_2, w.wall_cell, w.wall_face, w.area_1, w.flow_1, &w.net)


cdef void stage(Step *w, double *mass, const double *area, const double *flow, int number, double inlet) noexcept nogil:
    # All fluxes of one state: inside, then at the nodes.
    cdef int n = w.net.slots
    primitives(w.u, w.p, area, flow, w.s0, w.b, n)
    half_slopes(w.hp, w.p, n)
    half_slopes(w.hu, w.u, n)
    end_slopes(w.hp, w.hu, w.p, w.u, &w.net)
    face_fluxes(mass, w.to_left, w.to_right, w.p, w.u, w.hp, w.hu, w.face_s0, w.slack, w.k, w.cc, w.net.alpha, n)
    arrivals(w.ends, &w.net, w.p, w.u, w.hp, w.hu)
    nodes(w.ends, w.head, w.charge, w.outflow, w.pressure, &w.fallbacks, &w.net, number, inlet)
    departures(mass, w.to_left, w.to_right, w.ends, &w.net)


cdef void begin_step(Step *w) noexcept nogil:
    # Leaves u, p, ends, head and pressure as they are at the start of the step.
    half_wall(w)
    stage(w, w.mass_1, w.area, w.flow, 0, w.inlet_1)


cdef int finish_step(Step *w) noexcept nogil:
    # Returns DONE or BAD_AREA.
    cdef int n = w.net.slots
    cdef long positive
    first_stage(w.area_1, w.flow_1, w.area, w.flow, w.mass_1, w.to_left, w.to_right, w.hp, w.u,
                w.dtdx, w.source, w.cubic, w.dt, w.friction, w.per_rho, n - 1)
    w.area_1[n - 1] = w.area[n - 1]
    w.flow_1[n - 1] = 0.0
    stage(w, w.mass_2, w.area_1, w.flow_1, 1, w.inlet_2)
    mean_flux(w.mean, w.mass_1, w.mass_2, n)
    balance(w.mean, &w.net, w.inlet_1, w.inlet_2)
    positive = second_stage(w.area, w.flow, w.area_1, w.flow_1, w.mean, w.to_left, w.to_right, w.hp, w.u,
                            w.dtdx, w.source, w.cubic, w.dt, w.friction, w.per_rho, n - 1)
    half_wall(w)
    return BAD_AREA if positive < n - 1 else DONE


cdef int check_speed(Step *w) noexcept nogil:
    # Returns DONE or TOO_FAST.
    cdef long count = too_fast(w.area, w.flow, w.dtdx, w.speed, w.net.alpha, w.speed_limit, w.net.slots)
    return TOO_FAST if count > 0 else DONE


cdef void take_sample(double *row, double *node_row, double *head_row, const Step *w) noexcept nogil:
    # (vessel, station, [pressure, flow rate, area]) at the start of the step.
    cdef int v, i, e, m, k
    cdef double s
    cdef const Net *net = &w.net
    for v in range(net.vessels):
        for i in range(2):
            e = 2 * v + i
            s = w.ends[e].q * w.ends[e].q
            k = 9 * v + 6 * i
            row[k] = net.end[e * END_COLUMNS + END_B] * (s - net.end[e * END_COLUMNS + END_S0])
            row[k + 1] = net.end[e * END_COLUMNS + END_SIGN] * w.ends[e].flow
            row[k + 2] = s * s
        m = (net.cell[2 * v] + net.cell[2 * v + 1]) // 2
        e = (net.cell[2 * v] + net.cell[2 * v + 1] + 1) // 2
        row[9 * v + 3] = 0.5 * (w.p[m] + w.p[e])
        row[9 * v + 4] = 0.5 * (w.flow[m] + w.flow[e])
        row[9 * v + 5] = 0.5 * (w.area[m] + w.area[e])
    for i in range(net.nodes):
        node_row[i] = w.pressure[i]
        head_row[i] = w.head[i]
