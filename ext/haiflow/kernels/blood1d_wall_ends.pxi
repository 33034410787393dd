# Where vessels with a viscous wall meet: at a node the total pressure, elastic and viscous, is common.
#
# Between the last cell, of flow rate Q, and the end of its vessel, where it is f, the wall's viscous pressure is
# R (Q - f), R = 2 wall / (A0 s dx). In a stage of the nodes that is one more resistance (End.resist). In a half step of
# the wall alone the elastic pressure stands still, and what is wanted is the flow rate at the ends at its middle. The
# cell follows it: in the middle of a Crank-Nicolson step Q = a + b f, which an elimination from either side gives;
# then heads R (a - (1 - b) f) and the balance of flow rates are linear. R grows as cells shrink, R (1 - b) does not,
# so a wall of any viscosity is stable. The far end of a vessel is taken as it was.

from libc.math cimport fabs, sqrt


cdef inline void middle(End *end, double before, double after, double answer, double held) noexcept nogil:
    # From the end cell's flow rate towards the node before and after, with its end's held.
    cdef double rest = 1.0 - 0.5 * answer
    end.resist_mid = end.resist * rest
    end.f_mid = 0.5 * (before + after - answer * held) / rest


cdef void wall_response(
    End *start, End *end, in_t flow, in_t area, double flow_start, double flow_end, in_t wall_cell, in_t wall_face,
    out_t upper_row, out_t right_side, int n,
) noexcept nogil:
    # How the end cells will answer in their half step to the flow rate held at their end; the far end as it is.
    cdef int j
    cdef double first, last, answer_start, answer_end, factor, left, right, pivot = 1.0, passed = 0.0
    wall_rows(right_side, upper_row, flow, area, wall_cell, wall_face, flow_start, flow_end, 0, n - 1)
    answer_end = 2.0 * upper_row[n - 1]
    last = first = right_side[n - 1]
    for j in range(n - 2, -1, -1):
        first = right_side[j] + upper_row[j] * first
    right = 2.0 * wall_face[n] / sqrt(area[n - 1])
    for j in range(n - 1, -1, -1):
        left = 2.0 * wall_face[j] / (sqrt(area[j]) + (sqrt(area[j - 1]) if j > 0 else 0.0))
        factor = wall_cell[j] * area[j]
        pivot = 1.0 + factor * (left + right) - factor * right * passed
        passed = factor * left / pivot
        right = left
    answer_start = 2.0 * passed
    middle(start, -flow[0], -first, answer_start, -flow_start)
    middle(end, flow[n - 1], last, answer_end, flow_end)


cdef inline void extrapolate(End *end, const Step *w, int cell, int inner, double sign) noexcept nogil:
    end.v_mid = sign * (1.5 * w.flow[cell] / w.area[cell] - 0.5 * w.flow[inner] / w.area[inner])
    end.p_mid = (1.5 * w.b[cell] * (sqrt(w.area[cell]) - w.s0[cell])
                 - 0.5 * w.b[inner] * (sqrt(w.area[inner]) - w.s0[inner]))


cdef void respond(Step *w, int index) noexcept nogil:
    # What the ends of a block's vessels will see in the wall's half step to come.
    cdef Window at = window(w, index)
    cdef int v, i, j
    for v in range(at.first_vessel, at.last_vessel + 1):
        i, j = w.net.cell[2 * v], w.net.cell[2 * v + 1]
        extrapolate(&w.ends[2 * v], w, i, i + 1, -1.0)
        extrapolate(&w.ends[2 * v + 1], w, j, j - 1, 1.0)
        w.ends[2 * v].resist = 2.0 * w.wall_face[i] / sqrt(w.area[i])
        w.ends[2 * v + 1].resist = 2.0 * w.wall_face[j + 1] / sqrt(w.area[j])
        wall_response(&w.ends[2 * v], &w.ends[2 * v + 1], w.flow + i, w.area + i, w.end_flow[2 * v],
                      w.end_flow[2 * v + 1], w.wall_cell + i, w.wall_face + i, w.u, w.p, j - i + 1)


cdef double held_reflection(const End *e, const double *t, double base, double reflection) noexcept nogil:
    # Flow rate towards the node, (1 + R) f = 4 (1 - R) A (c - c_base), with A and c of the whole pressure, which falls
    # with f: Newton's method on a rising function.
    cdef int _step
    cdef double s = upper(t[END_S0] + e.p_mid / t[END_B], 0.05 * t[END_ROOT])
    cdef double q_base = sqrt(upper(t[END_S0] + base / t[END_B], 0.05 * t[END_ROOT]))
    cdef double give = 4.0 * t[END_G] * (1.0 - reflection), per_flow = e.resist_mid / t[END_B]
    cdef double flow = e.f_mid, whole, off, slope, change
    for _step in range(NEWTON_STEPS):
        whole = upper(s + per_flow * (e.f_mid - flow), 0.05 * t[END_ROOT])
        off = (1.0 + reflection) * flow / (whole * whole) - give * (sqrt(whole) - q_base)
        slope = (1.0 + reflection) * (1.0 + 2.0 * flow * per_flow / whole) / (whole * whole)
        change = off / (slope + 0.5 * give * per_flow / sqrt(whole))
        flow -= change
        if fabs(change) <= REFLECT_TOLERANCE * s * s * t[END_G] * sqrt(s):
            break
    return flow


cdef void hold(Step *w, int node, int at_fine) noexcept nogil:
    # The flow rates along the vessels that their walls' half step sees at its middle, where elastic and viscous
    # pressure balance; the elastic one stands still meanwhile.
    cdef Net *net = &w.net
    cdef const int *list = net.node_end + net.node_start[node]
    cdef int i, e, kind = net.kind[node], count = net.node_start[node + 1] - net.node_start[node]
    cdef int fine = at_fine & ((1 << net.top) - 1)
    cdef const double *t = net.node + node * NODE_COLUMNS
    cdef double kinetic = t[NODE_KINETIC], top, bottom, resist, inlet = 0.0
    cdef Condition at
    if kind == REFLECTION:
        if w.ends[list[0]].resist > 0.0 and fine & ((1 << net.level[list[0] >> 1]) - 1) == 0:
            w.end_flow[list[0]] = net.end[list[0] * END_COLUMNS + END_SIGN] * held_reflection(
                &w.ends[list[0]], net.end + list[0] * END_COLUMNS, t[NODE_BASE], t[NODE_REFLECTION])
        return
    if kind == FLOW_INLET or kind == PRESSURE_INLET:
        inlet = w.inlet[at_fine % w.period]
    at = condition(kind, w.head[node], inlet, w.charge[node] if kind == WINDKESSEL else t[NODE_BASE], t[NODE_R1])
    top, bottom = at.inflow + at.conductance * at.behind, at.conductance
    for i in range(count):
        e = list[i]
        t = net.end + e * END_COLUMNS
        if t[END_CLOSED] != 0.0:
            continue
        if fine & ((1 << net.level[e >> 1]) - 1) != 0:
            top += t[END_SIGN] * w.end_flow[e]  # in the midst of its step
            continue
        resist = (w.ends[e].resist_mid + t[END_VISCOUS] + t[END_TURBULENT] * fabs(w.end_flow[e])
                  + 1e-9 * net.rho * t[END_G] / (t[END_ROOT] * sqrt(t[END_ROOT])))
        w.ends[e].h = w.ends[e].p_mid + kinetic * w.ends[e].v_mid * w.ends[e].v_mid
        w.ends[e].h += w.ends[e].resist_mid * w.ends[e].f_mid
        w.ends[e].per_dh = 1.0 / resist
        top += w.ends[e].h / resist
        bottom += 1.0 / resist
    solve_head(&at, top, bottom)
    for i in range(count):
        e = list[i]
        t = net.end + e * END_COLUMNS
        if t[END_CLOSED] == 0.0 and w.ends[e].resist > 0.0 and fine & ((1 << net.level[e >> 1]) - 1) == 0:
            w.end_flow[e] = t[END_SIGN] * (w.ends[e].h - at.head) * w.ends[e].per_dh
