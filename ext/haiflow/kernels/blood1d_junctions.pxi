# The states where the open ends of any number of vessels meet.
#
# The wave that leaves a vessel (v + 4 kappa c, v towards the node, q = sqrt(s), c = g q) is known from inside; the node
# adds that flow rates sum to zero and total pressure is common (static at an outlet where one vessel ends alone), less
# the loss of a stenosis. With one unknown q a vessel and one head a node, each Newton step is a closed form. Where
# Newton fails, linear waves about the arriving states always have an answer.

from libc.math cimport fabs, sqrt

cdef int NEWTON_STEPS = 40
cdef double NEWTON_TOLERANCE = 1e-6

# What the rest of the world asks of a node: its head, or flows + inflow = conductance (head - behind).
cdef struct Condition:
    bint given
    double head, inflow, conductance, behind


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


cdef inline void solve_head(Condition *at, double top, double bottom) noexcept nogil:
    if not at.given:
        at.head = top / bottom


cdef double newton_step(
    End *ends, Condition *at, const int *list, int open_ends, Net *net, double kinetic,
) noexcept nogil:
    # One Newton step of all open ends of a node; returns the largest relative change of q.
    cdef int i
    cdef double h, dh, dflow, loss, change, largest = 0.0
    cdef double top = at.inflow + at.conductance * at.behind, bottom = at.conductance
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
        e.per_dh = 1.0 / dh
        top += e.flow - dflow * h * e.per_dh
        bottom -= dflow * e.per_dh
    solve_head(at, top, bottom)
    for i in range(open_ends):
        e = &ends[list[i]]
        change = (at.head - e.h) * e.per_dh / e.q
        largest = upper(largest, fabs(change)) if change == change else 1.0
        change = upper(lower(change, 0.2), -0.2) if change == change else 0.0
        settle(e, e.q * (1.0 + change))
    return largest


cdef void linear_node(End *ends, Condition *at, const int *list, int open_ends, Net *net) noexcept nogil:
    # Static pressure, linear waves about the arriving states.
    cdef int i
    cdef double z, p, top = at.inflow + at.conductance * at.behind, bottom = at.conductance
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
    solve_head(at, top, bottom)
    for i in range(open_ends):
        e = &ends[list[i]]
        t = net.end + list[i] * END_COLUMNS
        z = net.rho * t[END_G] * e.q_in / (e.s_in * e.s_in)
        p = t[END_B] * (e.s_in - t[END_S0])
        p += (at.head - p) * z / (z + t[END_VISCOUS] + t[END_TURBULENT] * fabs(e.flow))
        settle(e, sqrt(upper(t[END_S0] + p / t[END_B], 0.05 * t[END_S0])))


cdef void join(
    End *ends, Condition *at, const int *list, int open_ends, Net *net, double kinetic, long *fallbacks,
) noexcept nogil:
    # Common head of the open ends, and the state of each.
    cdef int _step, i
    cdef double change = 1.0
    for i in range(open_ends):
        settle(&ends[list[i]], ends[list[i]].q)
    for _step in range(NEWTON_STEPS):
        change = newton_step(ends, at, list, open_ends, net, kinetic)
        if change < NEWTON_TOLERANCE:
            break
    if not change < NEWTON_TOLERANCE:
        fallbacks[0] += 1
        linear_node(ends, at, list, open_ends, net)


cdef void conserve(End *ends, const int *list, int open_ends, double inflow) noexcept nogil:
    # Newton stops short of exact: the last end takes what the others leave.
    cdef int i, last = list[open_ends - 1]
    cdef double total = inflow
    for i in range(open_ends - 1):
        total += ends[list[i]].flow
    ends[last].flow = -total
    ends[last].v = -total / (ends[last].q * ends[last].q * ends[last].q * ends[last].q)
