# Blood flow in elastic arteries, one-dimensional, in area A and flow rate Q:
#
#   A_t + Q_x = source,   Q_t + (alpha Q^2 / A)_x + (A / rho) p_x = -friction Q / A,   p = b (s - s0)
#
# with s = sqrt(A), s0 = sqrt(A0), b = beta / A0. Second order in space (pressure and velocity reconstructed linearly,
# monotonised-central limiter, local Lax-Friedrichs flux) and in time (Heun's two-stage strong-stability-preserving
# method). Pressure is reconstructed, and A0 and beta are single-valued at a face, so fluid at rest stays at rest
# however A0 and beta vary (Delestre & Lagree 2013, Int J Numer Methods Fluids 72:177; here in terms of pressure).
#
# Layout. Cells and faces share one index: slot j is a cell and the face on its left. Each vessel ends with an idle slot
# that carries its last face only, so every pass is one loop over all vessels, without a branch.
#
# A node takes the waves that leave its vessels (v + 4 kappa c, v towards the node, q = sqrt(s), c = g q) and finds the
# states there: flow rates sum to zero and total pressure is common (static at an outlet where one vessel ends alone),
# less the loss of a stenosis. With one unknown a vessel and one a node, each Newton step is a closed form for any
# number of vessels.

from libc.math cimport fabs, sqrt

cdef extern from *:
    """
    typedef double *__restrict__ out_t;
    typedef const double *__restrict__ in_t;
    """
    ctypedef double *out_t
    ctypedef const double *in_t

# Rows of the tables; haiflow.arteries.plan fills them in this order.
cdef enum:
    CELL_S0, CELL_B, CELL_DTDX, CELL_SOURCE, CELL_SPEED, CELL_WALL
cdef enum:
    FACE_S0, FACE_SLACK, FACE_K, FACE_C, FACE_WALL
cdef enum:
    END_SIGN, END_B, END_S0, END_K, END_G, END_VISCOUS, END_TURBULENT, END_CLOSED, END_COLUMNS
cdef enum:
    NODE_R1, NODE_DISTAL_CONDUCTANCE, NODE_DT_OVER_C, NODE_THETA, NODE_BASE, NODE_REFLECTION, NODE_KINETIC, NODE_COLUMNS
cdef enum:
    JUNCTION, FLOW_INLET, PRESSURE_INLET, WINDKESSEL, RESISTANCE, REFLECTION
cdef enum:
    DONE, BAD_AREA, TOO_FAST

cdef int NEWTON_STEPS = 40
cdef double NEWTON_TOLERANCE = 1e-6
cdef int SPEED_CHECK_EVERY = 16

cdef struct End:
    double v_in, q_in, s_in  # state extrapolated from inside, v towards the node
    double slope             # dv/dq along the wave that goes back into the vessel
    double q, v, flow        # state at the node
    double h, dh             # head there and its slope in q


cdef struct Net:
    int slots, nodes, ends, vessels
    const int *node_start    # (nodes + 1) into node_end
    const int *node_end      # ends by node, closed ones first
    const int *kind          # (nodes)
    const int *face          # (ends) slot of the face
    const int *cell          # (ends) slot of the cell
    const double *end        # (ends, END_COLUMNS)
    const double *node       # (nodes, NODE_COLUMNS)
    double alpha, rho


cdef inline double lower(double a, double b) noexcept nogil:
    return a if a < b else b


cdef inline double upper(double a, double b) noexcept nogil:
    return a if a > b else b


# ---------------------------------------------------------------------------------------------- interior passes

cdef void primitives(out_t u, out_t p, in_t area, in_t flow, in_t s0, in_t b, int n) noexcept nogil:
    cdef int j
    for j in range(n):
        u[j] = flow[j] / area[j]
        p[j] = b[j] * (sqrt(area[j]) - s0[j])


cdef inline double monotonised_central(double left, double right) noexcept nogil:
    # Half the limited difference across the cell.
    cdef double mean = 0.25 * (left + right)
    cdef double low = lower(lower(left, right), mean)
    cdef double high = upper(upper(left, right), mean)
    return upper(low, 0.0) + lower(high, 0.0)


cdef void half_slopes(out_t h, in_t w, int n) noexcept nogil:
    cdef int j
    h[0] = 0.0
    h[n - 1] = 0.0
    for j in range(1, n - 1):
        h[j] = monotonised_central(w[j] - w[j - 1], w[j + 1] - w[j])


cdef void end_slopes(out_t hp, out_t hu, in_t p, in_t u, Net *net) noexcept nogil:
    # One-sided in the first and last cell of each vessel.
    cdef int v, first, last
    for v in range(net.vessels):
        first = net.cell[2 * v]
        last = net.cell[2 * v + 1]
        hp[first] = 0.5 * (p[first + 1] - p[first])
        hu[first] = 0.5 * (u[first + 1] - u[first])
        hp[last] = 0.5 * (p[last] - p[last - 1])
        hu[last] = 0.5 * (u[last] - u[last - 1])


cdef void face_fluxes(
    out_t mass, out_t to_left, out_t to_right, in_t p, in_t u, in_t hp, in_t hu,
    in_t s0, in_t slack, in_t k, in_t cc, double alpha, int n,
) noexcept nogil:
    # to_left, to_right: momentum flux less the pressure force k s^3 that the cell on that side sees at the face.
    cdef int j
    cdef double s_l, s_r, u_l, u_r, q_l, q_r, fastest, speed, convected, jump
    cdef double stretch = alpha * (alpha - 1.0)
    for j in range(1, n):
        s_l = s0[j] + slack[j] * (p[j - 1] + hp[j - 1])
        s_r = s0[j] + slack[j] * (p[j] - hp[j])
        u_l = u[j - 1] + hu[j - 1]
        u_r = u[j] - hu[j]
        q_l = u_l * s_l * s_l
        q_r = u_r * s_r * s_r
        fastest = upper(fabs(u_l), fabs(u_r))
        speed = 0.5 * (alpha * fastest + sqrt(cc[j] * upper(s_l, s_r) + stretch * fastest * fastest))
        mass[j] = 0.5 * (q_l + q_r) - speed * (s_r * s_r - s_l * s_l)
        convected = 0.5 * alpha * (q_l * u_l + q_r * u_r) - speed * (q_r - q_l)
        jump = 0.5 * k[j] * (s_r * s_r * s_r - s_l * s_l * s_l)
        to_left[j] = convected + jump
        to_right[j] = convected - jump


cdef void first_stage(
    out_t area1, out_t flow1, in_t area, in_t flow, in_t mass, in_t to_left, in_t to_right, in_t hp, in_t u,
    in_t dtdx, in_t source, double dt, double friction, double per_rho, int n,
) noexcept nogil:
    cdef int j
    for j in range(n):
        area1[j] = area[j] - dtdx[j] * (mass[j + 1] - mass[j]) + dt * source[j]
        flow1[j] = (
            flow[j] - dtdx[j] * (to_left[j + 1] - to_right[j] + 2.0 * per_rho * area[j] * hp[j]) - dt * friction * u[j]
        )


cdef long second_stage(
    out_t area, out_t flow, in_t area1, in_t flow1, in_t mass, in_t to_left, in_t to_right, in_t hp, in_t u,
    in_t dtdx, in_t source, double dt, double friction, double per_rho, int n,
) noexcept nogil:
    # mass is the effective flux of the whole step. Returns the number of slots with a positive area.
    cdef int j
    cdef long positive = 0
    for j in range(n):
        area[j] = area[j] - dtdx[j] * (mass[j + 1] - mass[j]) + dt * source[j]
        flow[j] = 0.5 * (
            flow[j] + flow1[j]
            - dtdx[j] * (to_left[j + 1] - to_right[j] + 2.0 * per_rho * area1[j] * hp[j]) - dt * friction * u[j]
        )
        positive += area[j] > 0.0
    return positive


cdef void mean_flux(out_t mean, in_t first, in_t second, int n) noexcept nogil:
    cdef int j
    for j in range(n):
        mean[j] = 0.5 * (first[j] + second[j])


cdef long too_fast(in_t area, in_t flow, in_t dtdx, in_t speed, double alpha, double limit, int n) noexcept nogil:
    # Slots whose fastest wave crosses more than `limit` of a cell in a step.
    cdef int j
    cdef long count = 0
    cdef double u
    cdef double stretch = alpha * (alpha - 1.0)
    for j in range(n):
        u = flow[j] / area[j]
        count += dtdx[j] * (alpha * fabs(u) + sqrt(speed[j] * sqrt(area[j]) + stretch * u * u)) > limit
    return count


# ------------------------------------------------------------------------------------------------- viscous wall

cdef void viscous_wall(
    out_t flow, in_t area, in_t face_flow, in_t wall_cell, in_t wall_face, out_t upper_row, out_t right_side, Net *net,
) noexcept nogil:
    # Half a step, before and after the rest (Strang), by Crank-Nicolson, of Q_t = (A / rho) (wall / (A0 s) Q_x)_x with
    # the flow rate given at both ends. wall_cell = dt / (4 rho dx), wall_face = wall / (A0 dx).
    cdef int v, j, first, last
    cdef double left, right, factor, pivot, before, after
    for v in range(net.vessels):
        first = net.cell[2 * v]
        last = net.cell[2 * v + 1]
        right = 2.0 * wall_face[first] / sqrt(area[first])
        before = face_flow[first]
        for j in range(first, last + 1):
            left = right
            if j < last:
                right = 2.0 * wall_face[j + 1] / (sqrt(area[j]) + sqrt(area[j + 1]))
                after = flow[j + 1]
            else:
                right = 2.0 * wall_face[j + 1] / sqrt(area[j])
                after = face_flow[j + 1]
            factor = wall_cell[j] * area[j]
            right_side[j] = flow[j] + factor * (right * (after - flow[j]) - left * (flow[j] - before))
            pivot = 1.0 + factor * (left + right)
            before = flow[j]
            if j > first:
                pivot -= factor * left * upper_row[j - 1]
                right_side[j] += factor * left * right_side[j - 1]
            else:
                right_side[j] += factor * left * face_flow[first]
            if j == last:
                right_side[j] += factor * right * face_flow[j + 1]
            right_side[j] /= pivot
            upper_row[j] = factor * right / pivot
        flow[last] = right_side[last]
        for j in range(last - 1, first - 1, -1):
            flow[j] = right_side[j] + upper_row[j] * flow[j + 1]


# -------------------------------------------------------------------------------------------------------- nodes

cdef void arrive(End *end, const double *t, double p, double v, double alpha) noexcept nogil:
    # The wave that leaves the vessel with pressure p and velocity v (towards the node) at the face.
    cdef double c, ahead
    end.s_in = upper(t[END_S0] + p / t[END_B], 0.05 * t[END_S0])
    end.q_in = sqrt(end.s_in)
    end.v_in = v
    c = t[END_G] * end.q_in
    ahead = sqrt(c * c + alpha * (alpha - 1.0) * v * v) - (alpha - 1.0) * v
    end.slope = -4.0 * t[END_G] * ahead / c


cdef inline void settle(End *end, double q) noexcept nogil:
    end.q = q
    end.v = end.v_in + end.slope * (q - end.q_in)
    end.flow = end.v * q * q * q * q


cdef double newton_step(
    End *ends, const int *list, int open_ends, Net *net, double kinetic, bint given, double head, double inflow,
    double conductance, double behind, double *out_head,
) noexcept nogil:
    # One Newton step of all open ends of a node; returns the largest relative change of q.
    # Node: sum of flows + inflow = conductance (head - behind), or the head is given.
    cdef int i
    cdef double h, dh, dflow, loss, change, largest = 0.0, top = inflow + conductance * behind, bottom = conductance
    cdef End *e
    cdef const double *t
    for i in range(open_ends):
        e = &ends[list[i]]
        t = net.end + list[i] * END_COLUMNS
        dflow = e.q * e.q * e.q * (4.0 * e.v + e.slope * e.q)
        loss = (t[END_VISCOUS] + t[END_TURBULENT] * fabs(e.flow)) * e.flow
        h = t[END_B] * (e.q * e.q - t[END_S0]) + kinetic * e.v * e.v - loss
        dh = 2.0 * t[END_B] * e.q + 2.0 * kinetic * e.v * e.slope
        dh -= (t[END_VISCOUS] + 2.0 * t[END_TURBULENT] * fabs(e.flow)) * dflow
        e.h = h
        e.dh = dh
        top += e.flow - dflow * h / dh
        bottom -= dflow / dh
    if not given:
        head = top / bottom
    for i in range(open_ends):
        e = &ends[list[i]]
        change = (head - e.h) / e.dh / e.q
        largest = upper(largest, fabs(change)) if change == change else 1.0
        change = upper(lower(change, 0.2), -0.2) if change == change else 0.0
        settle(e, e.q * (1.0 + change))
    out_head[0] = head
    return largest


cdef double linear_node(
    End *ends, const int *list, int open_ends, Net *net, bint given, double head, double inflow,
    double conductance, double behind,
) noexcept nogil:
    # Where Newton fails: static pressure, linear waves about the arriving states. Always has an answer.
    cdef int i
    cdef double z, p, top = inflow + conductance * behind, bottom = conductance
    cdef End *e
    cdef const double *t
    for i in range(open_ends):
        e = &ends[list[i]]
        t = net.end + list[i] * END_COLUMNS
        z = net.rho * t[END_G] * e.q_in / (e.s_in * e.s_in)
        z += t[END_VISCOUS] + t[END_TURBULENT] * fabs(e.flow)
        p = t[END_B] * (e.s_in - t[END_S0])
        top += e.v_in * e.s_in * e.s_in + p / z
        bottom += 1.0 / z
    if not given:
        head = top / bottom
    for i in range(open_ends):
        e = &ends[list[i]]
        t = net.end + list[i] * END_COLUMNS
        z = net.rho * t[END_G] * e.q_in / (e.s_in * e.s_in)
        p = t[END_B] * (e.s_in - t[END_S0])
        p += (head - p) * z / (z + t[END_VISCOUS] + t[END_TURBULENT] * fabs(e.flow))
        settle(e, sqrt(upper(t[END_S0] + p / t[END_B], 0.05 * t[END_S0])))
    return head


cdef double reflect(End *e, const double *t, double base, double reflection) noexcept nogil:
    # (1 + R) v = 4 (1 - R) (c - c_base), with the arriving wave v + kappa 4 c known; closed form.
    cdef double q_base = sqrt(upper(t[END_S0] + base / t[END_B], 0.05 * t[END_S0]))
    cdef double absorb = 4.0 * t[END_G] * (1.0 - reflection)
    cdef double wave = e.v_in - e.slope * e.q_in
    settle(e, (wave * (1.0 + reflection) + absorb * q_base) / (absorb - e.slope * (1.0 + reflection)))
    return t[END_B] * (e.q * e.q - t[END_S0])


cdef double couple(
    End *ends, int node, Net *net, double *head, double inlet, double a, double b, long *fallbacks,
) noexcept nogil:
    # States at one node; returns the flow that leaves the network there. Outlet: pressure = a + b flow.
    cdef const int *list = net.node_end + net.node_start[node]
    cdef int count = net.node_start[node + 1] - net.node_start[node]
    cdef int kind = net.kind[node], closed = 0, _step, i, last
    cdef const double *t = net.node + node * NODE_COLUMNS
    cdef double total, change = 1.0, conductance = 0.0, inflow = 0.0, level = head[0]
    cdef bint given = kind == PRESSURE_INLET
    cdef End *e
    while closed < count and net.end[list[closed] * END_COLUMNS + END_CLOSED] != 0.0:
        e = &ends[list[closed]]
        settle(e, e.q_in - e.v_in / e.slope)
        e.v = 0.0
        e.flow = 0.0
        closed += 1
    list += closed
    count -= closed
    if count == 0:
        head[0] = inlet if given else mean_pressure(ends, node, net, 0.0)
        return 0.0
    if kind == REFLECTION:
        head[0] = reflect(&ends[list[0]], net.end + list[0] * END_COLUMNS, t[NODE_BASE], t[NODE_REFLECTION])
        return ends[list[0]].flow
    if kind == FLOW_INLET:
        inflow = inlet
    elif given:
        level = inlet
    elif kind != JUNCTION:
        given = b <= 0.0
        if given:
            level = a
        else:
            conductance = 1.0 / b
    for i in range(count):
        settle(&ends[list[i]], ends[list[i]].q)
    for _step in range(NEWTON_STEPS):
        change = newton_step(ends, list, count, net, t[NODE_KINETIC], given, level, inflow, conductance, a, &level)
        if change < NEWTON_TOLERANCE:
            break
    if not change < 1e-6:
        fallbacks[0] += 1
        level = linear_node(ends, list, count, net, given, level, inflow, conductance, a)
    head[0] = level
    if kind == JUNCTION or kind == FLOW_INLET:
        total = inflow
        last = list[count - 1]
        for i in range(count - 1):
            total += ends[list[i]].flow
        ends[last].flow = -total
        ends[last].v = -total / (ends[last].q * ends[last].q * ends[last].q * ends[last].q)
        return 0.0
    total = 0.0
    for i in range(count):
        total += ends[list[i]].flow
    return total


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


cdef void nodes(
    End *ends, Net *net, double *head, double *charge, double *outflow, int stage, double inlet,
    double *pressure, in_t p, in_t u, in_t hp, in_t hu, out_t mass, out_t to_left, out_t to_right, long *fallbacks,
) noexcept nogil:
    # Read first, write after: the order of nodes does not matter.
    cdef int e, j, node
    cdef double sign, a, b, factor, theta, leak, mean
    cdef const double *t
    for e in range(net.ends):
        t = net.end + e * END_COLUMNS
        j = net.cell[e]
        arrive(&ends[e], t, p[j] + t[END_SIGN] * hp[j], t[END_SIGN] * u[j] + hu[j], net.alpha)
    for node in range(net.nodes):
        t = net.node + node * NODE_COLUMNS
        a = t[NODE_BASE]
        b = t[NODE_R1]
        if net.kind[node] == WINDKESSEL and stage == 0:
            a = charge[node]
        elif net.kind[node] == WINDKESSEL:
            # The capacitor at the end of the step, theta-implicit: charge = a + (b - R1) outflow.
            theta = t[NODE_THETA]
            factor = t[NODE_DT_OVER_C]
            leak = factor * t[NODE_DISTAL_CONDUCTANCE]
            a = charge[node] + (1.0 - theta) * (factor * outflow[node] - leak * (charge[node] - t[NODE_BASE]))
            a = (a + theta * leak * t[NODE_BASE]) / (1.0 + theta * leak)
            b += theta * factor / (1.0 + theta * leak)
        outflow[node] = couple(ends, node, net, &head[node], inlet, a, b, fallbacks)
        if net.kind[node] == WINDKESSEL and stage == 1:
            charge[node] = a + (b - t[NODE_R1]) * outflow[node]
        mean = mean_pressure(ends, node, net, head[node])
        pressure[node] = mean if stage == 0 else 0.5 * (pressure[node] + mean)
    for e in range(net.ends):
        t = net.end + e * END_COLUMNS
        j = net.face[e]
        sign = t[END_SIGN]
        mass[j] = sign * ends[e].flow
        a = net.alpha * ends[e].flow * ends[e].v
        b = ends[e].q * ends[e].q
        a += t[END_K] * (b * b * b - ends[e].s_in * ends[e].s_in * ends[e].s_in)
        to_left[j] = a
        to_right[j] = a


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


cdef void take_sample(
    double *row, double *node_row, double *head_row, End *ends, Net *net, const double *pressure, const double *head,
    in_t area, in_t flow, in_t p,
) noexcept nogil:
    # (vessel, station, [pressure, flow rate, area]) at the start of the step.
    cdef int v, i, e, m, k
    cdef double s
    for v in range(net.vessels):
        for i in range(2):
            e = 2 * v + i
            s = ends[e].q * ends[e].q
            k = 9 * v + 6 * i
            row[k] = net.end[e * END_COLUMNS + END_B] * (s - net.end[e * END_COLUMNS + END_S0])
            row[k + 1] = net.end[e * END_COLUMNS + END_SIGN] * ends[e].flow
            row[k + 2] = s * s
        m = (net.cell[2 * v] + net.cell[2 * v + 1]) // 2
        e = (net.cell[2 * v] + net.cell[2 * v + 1] + 1) // 2
        row[9 * v + 3] = 0.5 * (p[m] + p[e])
        row[9 * v + 4] = 0.5 * (flow[m] + flow[e])
        row[9 * v + 5] = 0.5 * (area[m] + area[e])
    for i in range(net.nodes):
        node_row[i] = pressure[i]
        head_row[i] = head[i]


# ---------------------------------------------------------------------------------------------------- time loop

cdef struct Scratch:
    double *u                # velocity, pressure, half their differences across each cell
    double *p
    double *hu
    double *hp
    double *to_left          # one-sided momentum fluxes
    double *to_right
    double *outflow          # (nodes)
    const double *s0         # rows of the cell and face tables
    const double *b
    const double *face_s0
    const double *slack
    const double *k
    const double *cc


cdef void stage(
    Scratch *w, double *mass, const double *area, const double *flow, End *ends, Net *net, double *head, double *charge,
    int number, double inlet, double *pressure, long *fallbacks,
) noexcept nogil:
    # All fluxes of one state: inside, then at the nodes.
    cdef int n = net.slots
    primitives(w.u, w.p, area, flow, w.s0, w.b, n)
    half_slopes(w.hp, w.p, n)
    half_slopes(w.hu, w.u, n)
    end_slopes(w.hp, w.hu, w.p, w.u, net)
    face_fluxes(mass, w.to_left, w.to_right, w.p, w.u, w.hp, w.hu, w.face_s0, w.slack, w.k, w.cc, net.alpha, n)
    nodes(ends, net, head, charge, w.outflow, number, inlet, pressure, w.p, w.u, w.hp, w.hu,
          mass, w.to_left, w.to_right, fallbacks)


def advance(
    double[::1] area, double[::1] flow, double[::1] end_q, double[::1] head, double[::1] charge,
    double[:, ::1] face_flux, double[:, ::1] node_pressure, double[::1] end_volume,
    double[:, :, :, ::1] samples, double[:, ::1] node_samples, double[:, ::1] head_samples, long[::1] report,
    double[:, ::1] work, double[::1] end_work,
    const double[:, ::1] cell_table, const double[:, ::1] face_table,
    const double[:, ::1] end_table, const double[:, ::1] node_table,
    const int[::1] node_start, const int[::1] node_end, const int[::1] kind,
    const int[::1] face, const int[::1] cell, const double[::1] inlet,
    int first_step, int n_steps, int sample_every, bint viscous,
    double dt, double alpha, double friction, double rho, double speed_limit,
):
    """Take ``n_steps`` whole steps from step ``first_step`` of the cycle; stop early where the state goes bad.

    Changed in place: ``area``, ``flow`` (slots), ``end_q`` (ends) and ``head`` (nodes), where Newton starts, ``charge``
    (nodes), the capacitors' pressure. Written: ``face_flux`` (n_steps or 1, slots), the effective flux of each step;
    ``node_pressure`` (n_steps or 1, nodes); ``end_volume`` (ends) is added up; ``samples`` (stations), ``node_samples``
    and ``head_samples`` (static and total pressure of the nodes) every ``sample_every`` steps (0: none), counted from
    ``first_step`` = 0. ``report``: [steps done, status, fallbacks], status 0 done, 1 area not positive, 2 a wave faster
    than ``speed_limit`` cells a step. ``inlet``: the boundary value at each step of a cycle.
    """
    cdef int n = <int> area.shape[0]
    cdef int period = <int> inlet.shape[0]
    cdef int k, j, row, row_p, sample = 0
    cdef long positive, fallbacks = 0
    cdef int status = DONE
    cdef double inlet_1, inlet_2
    cdef Net net
    cdef End *ends = <End *> &end_work[0]
    cdef Scratch w
    cdef double *mass_1 = &work[4, 0]
    cdef double *mass_2 = &work[5, 0]
    cdef double *area_1 = &work[8, 0]
    cdef double *flow_1 = &work[9, 0]
    cdef double *mean
    cdef double *pressure
    net.slots, net.nodes, net.ends = n, <int> kind.shape[0], <int> face.shape[0]
    net.vessels = net.ends // 2
    net.node_start, net.node_end, net.kind = &node_start[0], &node_end[0], &kind[0]
    net.face, net.cell, net.end, net.node = &face[0], &cell[0], &end_table[0, 0], &node_table[0, 0]
    net.alpha, net.rho = alpha, rho
    w.u, w.p, w.hu, w.hp = &work[0, 0], &work[1, 0], &work[2, 0], &work[3, 0]
    w.to_left, w.to_right, w.outflow = &work[6, 0], &work[7, 0], &work[10, 0]
    w.s0, w.b = &cell_table[CELL_S0, 0], &cell_table[CELL_B, 0]
    w.face_s0, w.slack = &face_table[FACE_S0, 0], &face_table[FACE_SLACK, 0]
    w.k, w.cc = &face_table[FACE_K, 0], &face_table[FACE_C, 0]
    with nogil:
        for j in range(net.ends):
            ends[j].q = end_q[j]
            ends[j].flow = 0.0
        for k in range(n_steps):
            row = k if face_flux.shape[0] > 1 else 0
            row_p = k if node_pressure.shape[0] > 1 else 0
            mean = &face_flux[row, 0]
            pressure = &node_pressure[row_p, 0]
            inlet_1 = inlet[(first_step + k) % period]
            inlet_2 = inlet[(first_step + k + 1) % period]

            if viscous:
                viscous_wall(&flow[0], &area[0], mass_2, &cell_table[CELL_WALL, 0], &face_table[FACE_WALL, 0],
                             area_1, flow_1, &net)
            stage(&w, mass_1, &area[0], &flow[0], ends, &net, &head[0], &charge[0], 0, inlet_1, pressure, &fallbacks)
            if sample_every > 0 and (first_step + k) % sample_every == 0 and sample < samples.shape[0]:
                take_sample(&samples[sample, 0, 0, 0], &node_samples[sample, 0], &head_samples[sample, 0], ends, &net,
                            pressure, &head[0], &area[0], &flow[0], w.p)
                sample += 1
            first_stage(area_1, flow_1, &area[0], &flow[0], mass_1, w.to_left, w.to_right, w.hp, w.u,
                        &cell_table[CELL_DTDX, 0], &cell_table[CELL_SOURCE, 0], dt, friction, 1.0 / rho, n - 1)
            area_1[n - 1] = area[n - 1]
            flow_1[n - 1] = 0.0

            stage(&w, mass_2, area_1, flow_1, ends, &net, &head[0], &charge[0], 1, inlet_2, pressure, &fallbacks)
            mean_flux(mean, mass_1, mass_2, n)
            balance(mean, &net, inlet_1, inlet_2)
            positive = second_stage(&area[0], &flow[0], area_1, flow_1, mean, w.to_left, w.to_right, w.hp, w.u,
                                    &cell_table[CELL_DTDX, 0], &cell_table[CELL_SOURCE, 0], dt, friction,
                                    1.0 / rho, n - 1)
            if viscous:
                viscous_wall(&flow[0], &area[0], mass_2, &cell_table[CELL_WALL, 0], &face_table[FACE_WALL, 0],
                             area_1, flow_1, &net)
            for j in range(net.ends):
                end_volume[j] += dt * mean[net.face[j]]
            report[0] = k + 1
            if positive < n - 1:
                status = BAD_AREA
                break
            if k % SPEED_CHECK_EVERY == 0 and too_fast(
                &area[0], &flow[0], &cell_table[CELL_DTDX, 0], &cell_table[CELL_SPEED, 0], alpha, speed_limit, n
            ) > 0:
                status = TOO_FAST
                break
        for j in range(net.ends):
            end_q[j] = ends[j].q
    report[1] = status
    report[2] = fallbacks


# --------------------------------------------------------------------------------------------- passes, one by one

def reconstruct(double[::1] u, double[::1] p, double[::1] hu, double[::1] hp, const double[::1] area,
                const double[::1] flow, const double[::1] s0, const double[::1] b):
    """Velocity, pressure and half their limited differences across each cell; zero in the first and last slot."""
    cdef int n = <int> area.shape[0]
    primitives(&u[0], &p[0], &area[0], &flow[0], &s0[0], &b[0], n)
    half_slopes(&hp[0], &p[0], n)
    half_slopes(&hu[0], &u[0], n)


def fluxes(double[::1] mass, double[::1] to_left, double[::1] to_right, const double[::1] p, const double[::1] u,
           const double[::1] hp, const double[::1] hu, const double[::1] s0, const double[::1] slack,
           const double[::1] k, const double[::1] cc, double alpha):
    """Mass flux and the two one-sided momentum fluxes of faces 1 .. n - 1."""
    face_fluxes(&mass[0], &to_left[0], &to_right[0], &p[0], &u[0], &hp[0], &hu[0], &s0[0], &slack[0], &k[0], &cc[0],
                alpha, <int> p.shape[0])


def update(double[::1] area1, double[::1] flow1, const double[::1] area, const double[::1] flow,
           const double[::1] mass, const double[::1] to_left, const double[::1] to_right, const double[::1] hp,
           const double[::1] u, const double[::1] dtdx, const double[::1] source,
           double dt, double friction, double rho):
    """The first stage: cells 0 .. n - 2 after one forward Euler step."""
    first_stage(&area1[0], &flow1[0], &area[0], &flow[0], &mass[0], &to_left[0], &to_right[0], &hp[0], &u[0],
                &dtdx[0], &source[0], dt, friction, 1.0 / rho, <int> area.shape[0] - 1)
