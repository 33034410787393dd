# The states where the open ends of any number of vessels meet.
#
# The wave that leaves a vessel (v + 4 kappa c, v towards the node, q = sqrt(s), c = g q) is known from inside; the node
# adds that flow rates sum to zero and total pressure is common (static at an outlet where one vessel ends alone), less
# the loss of a stenosis. With one unknown q a vessel and one head a node, each Newton step is a closed form. Where
# Newton fails, the head is bracketed: each end's flow falls with the head, from the critical state (v = c: a vessel can
# give no more, it is choked) on, so the sum of flows has exactly one zero.

from libc.math cimport fabs, sqrt

cdef int NEWTON_STEPS = 20
cdef double NEWTON_TOLERANCE = 1e-7
cdef int HALVINGS = 60

# What the rest of the world asks of a node: its head, or flows + inflow = conductance (head - behind).
cdef struct Condition:
    bint given
    double head, inflow, conductance, behind


cdef void arrive(End *end, const double *t, double p, double v, double alpha) noexcept nogil:
    # The wave that leaves the vessel with pressure p and velocity v (towards the node) at the face.
    cdef double c, ahead
    end.s_in = upper(t[END_S0] + p / t[END_B], 0.05 * t[END_ROOT])
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
        loss = (t[END_VISCOUS] + t[END_TURBULENT] * fabs(e.flow)) * e.flow + e.resist * (e.flow - e.f_in)
        h = t[END_B] * (e.q * e.q - t[END_S0]) + kinetic * e.v * e.v - loss
        dh = 2.0 * t[END_B] * e.q + 2.0 * kinetic * e.v * e.slope
        dh -= (e.resist + t[END_VISCOUS] + 2.0 * t[END_TURBULENT] * fabs(e.flow)) * dflow
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


cdef double head_at(End *e, const double *t, double kinetic, double q) noexcept nogil:
    # Sets the end to q and returns its head there.
    settle(e, q)
    return (t[END_B] * (q * q - t[END_S0]) + kinetic * e.v * e.v
            - (t[END_VISCOUS] + t[END_TURBULENT] * fabs(e.flow)) * e.flow - e.resist * (e.flow - e.f_in))


cdef double least_root(const End *e, const double *t, double kinetic) noexcept nogil:
    # q of the critical state, or of a vessel as good as shut; the head rises with q from there on.
    cdef double critical = -kinetic * e.slope * (e.v_in - e.slope * e.q_in) / (t[END_B] + kinetic * e.slope * e.slope)
    return upper(critical, sqrt(0.05 * t[END_ROOT]))


cdef bint follow(End *e, const double *t, double kinetic, double head) noexcept nogil:
    # The end's state at a given head, by bisection; returns whether it is choked.
    cdef int _halving
    cdef double middle, low = least_root(e, t, kinetic), high = 2.0 * upper(e.q_in, low)
    if head_at(e, t, kinetic, low) >= head:
        return True
    while head_at(e, t, kinetic, high) < head and high < 1e3 * e.q_in:
        high *= 2.0
    for _halving in range(HALVINGS):
        middle = 0.5 * (low + high)
        if head_at(e, t, kinetic, middle) < head:
            low = middle
        else:
            high = middle
    return False


cdef double excess(
    End *ends, const Condition *at, const int *list, int open_ends, Net *net, double kinetic, double head, int *choked,
) noexcept nogil:
    # What flows into a node of this head, less what its outlet takes; falls with the head.
    cdef int i
    cdef double sum = at.inflow - at.conductance * (head - at.behind)
    choked[0] = 0
    for i in range(open_ends):
        choked[0] += follow(&ends[list[i]], net.end + list[i] * END_COLUMNS, kinetic, head)
        sum += ends[list[i]].flow
    return sum


cdef int bracket_node(
    End *ends, Condition *at, const int *list, int open_ends, Net *net, double kinetic,
) noexcept nogil:
    # Bisection of the head; returns how many ends are choked.
    cdef int _halving, choked = 0
    cdef double low = at.head, high = at.head, stride = net.rho
    if not at.given:
        low = high = head_at(&ends[list[0]], net.end + list[0] * END_COLUMNS, kinetic, ends[list[0]].q_in)
        while excess(ends, at, list, open_ends, net, kinetic, low, &choked) < 0.0 and stride < 1e9:
            low -= stride
            stride *= 2.0
        stride = net.rho
        while excess(ends, at, list, open_ends, net, kinetic, high, &choked) > 0.0 and stride < 1e9:
            high += stride
            stride *= 2.0
        for _halving in range(HALVINGS):
            at.head = 0.5 * (low + high)
            if excess(ends, at, list, open_ends, net, kinetic, at.head, &choked) > 0.0:
                low = at.head
            else:
                high = at.head
    excess(ends, at, list, open_ends, net, kinetic, at.head, &choked)
    return choked


cdef double newton(End *ends, Condition *at, const int *list, int open_ends, Net *net, double kinetic) noexcept nogil:
    # From the states in `ends`; returns the last relative change of q.
    cdef int _step, i
    cdef double change = 1.0
    for i in range(open_ends):
        settle(&ends[list[i]], ends[list[i]].q)
    for _step in range(NEWTON_STEPS):
        change = newton_step(ends, at, list, open_ends, net, kinetic)
        if change < NEWTON_TOLERANCE:
            break
    return change


cdef bint subcritical(End *ends, const int *list, int open_ends, Net *net, double kinetic) noexcept nogil:
    cdef int i
    for i in range(open_ends):
        if not ends[list[i]].q >= least_root(&ends[list[i]], net.end + list[i] * END_COLUMNS, kinetic):
            return False
    return True


cdef void join(
    End *ends, Condition *at, const int *list, int open_ends, Net *net, double kinetic, long *fallbacks,
) noexcept nogil:
    # Common head of the open ends, and the state of each.
    if newton(ends, at, list, open_ends, net, kinetic) < NEWTON_TOLERANCE and subcritical(
            ends, list, open_ends, net, kinetic):
        return
    if bracket_node(ends, at, list, open_ends, net, kinetic) > 0:
        fallbacks[0] += 1
        return
    newton(ends, at, list, open_ends, net, kinetic)  # the last digits


cdef void conserve(End *ends, const int *list, int open_ends, double inflow) noexcept nogil:
    # Newton stops short of exact: the last end takes what the others leave.
    cdef int i, last = list[open_ends - 1]
    cdef double total = inflow
    for i in range(open_ends - 1):
        total += ends[list[i]].flow
    ends[last].flow = -total
    ends[last].v = -total / (ends[last].q * ends[last].q * ends[last].q * ends[last].q)
