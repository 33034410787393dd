# Inlets and outlets: what each kind asks of its node, with pressure = a + b flow at an outlet.
#
# Windkessel: proximal resistance R1, then a capacitor C that drains through the distal resistance to the base pressure;
# theta-implicit in time. Reflection: the wave that comes back is a fraction R of the one that leaves (Alastruey et al
# 2008, Commun Comput Phys 4:317), to which a viscous wall adds its part of the pressure. A closed end reflects all.

from libc.math cimport fabs, sqrt

cdef double REFLECT_TOLERANCE = 1e-12


cdef inline void windkessel(double *a, double *b, const double *t, double charge, double outflow) noexcept nogil:
    # The capacitor at the end of the step: charge = a + (b - R1) outflow.
    cdef double theta = t[NODE_THETA], factor = t[NODE_DT_OVER_C]
    cdef double leak = factor * t[NODE_DISTAL_CONDUCTANCE]
    a[0] = charge + (1.0 - theta) * (factor * outflow - leak * (charge - t[NODE_BASE]))
    a[0] = (a[0] + theta * leak * t[NODE_BASE]) / (1.0 + theta * leak)
    b[0] += theta * factor / (1.0 + theta * leak)


cdef inline Condition condition(int kind, double head, double inlet, double a, double b) noexcept nogil:
    cdef Condition at
    at.given = kind == PRESSURE_INLET
    at.head, at.inflow, at.conductance, at.behind = head, 0.0, 0.0, a
    if kind == FLOW_INLET:
        at.inflow = inlet
    elif kind == PRESSURE_INLET:
        at.head = inlet
    elif kind != JUNCTION:
        at.given = b <= 0.0
        if at.given:
            at.head = a
        else:
            at.conductance = 1.0 / b
    return at


cdef inline double wave_balance(End *e, const double *t, double q_base, double reflection, double q) noexcept nogil:
    # Sets the end to q and returns what (1 + R) flow / A is above 4 (1 - R) (c - c_base); falls with q. A and c are
    # those that the whole pressure, of an elastic and a viscous part, would hold open: with the elastic area, which the
    # waves of the elastic part alone have set, the flow would be first order only in a strong wall.
    cdef double whole
    settle(e, q)
    whole = upper(q * q + e.resist / t[END_B] * (e.f_in - e.flow), 0.05 * t[END_ROOT])
    return (1.0 + reflection) * e.flow / (whole * whole) - 4.0 * t[END_G] * (1.0 - reflection) * (sqrt(whole) - q_base)


cdef bint reflect_newton(End *e, const double *t, double q_base, double reflection) noexcept nogil:
    # From the state of before; returns whether it has found the root.
    cdef int _step
    cdef double q = e.q, off, whole, dflow, dwhole, change
    for _step in range(NEWTON_STEPS):
        off = wave_balance(e, t, q_base, reflection, q)
        whole = upper(q * q + e.resist / t[END_B] * (e.f_in - e.flow), 0.05 * t[END_ROOT])
        dflow = q * q * q * (4.0 * e.v + e.slope * q)
        dwhole = 2.0 * q - e.resist / t[END_B] * dflow
        change = (1.0 + reflection) * (dflow - 2.0 * e.flow * dwhole / whole) / (whole * whole)
        change = -off / (change - 2.0 * t[END_G] * (1.0 - reflection) * dwhole / sqrt(whole)) / q
        if not change == change:
            return False
        change = upper(lower(change, 0.2), -0.2)
        q *= 1.0 + change
        if fabs(change) < REFLECT_TOLERANCE:
            settle(e, q)
            return True
    return False


cdef double reflect(End *e, const double *t, double base, double reflection, long *fallbacks) noexcept nogil:
    # (1 + R) v = 4 (1 - R) (c - c_base), with the arriving wave v + kappa 4 c known; closed form for an elastic wall.
    cdef int _halving
    cdef double q_base = sqrt(upper(t[END_S0] + base / t[END_B], 0.05 * t[END_ROOT]))
    cdef double absorb = 4.0 * t[END_G] * (1.0 - reflection)
    cdef double wave = e.v_in - e.slope * e.q_in
    cdef double low, high, middle
    if e.resist <= 0.0:
        settle(e, (wave * (1.0 + reflection) + absorb * q_base) / (absorb - e.slope * (1.0 + reflection)))
    elif not reflect_newton(e, t, q_base, reflection):
        fallbacks[0] += 1
        low, high = sqrt(0.05 * t[END_ROOT]), 2.0 * upper(e.q_in, q_base)
        for _halving in range(HALVINGS):
            middle = 0.5 * (low + high)
            if wave_balance(e, t, q_base, reflection, middle) > 0.0:
                low = middle
            else:
                high = middle
    return t[END_B] * (e.q * e.q - t[END_S0]) + e.resist * (e.f_in - e.flow)


cdef int close_ends(End *ends, const int *list, int count, Net *net) noexcept nogil:
    # Closed ends, first in the list, stand still; returns their number.
    cdef int closed = 0
    cdef End *e
    while closed < count and net.end[list[closed] * END_COLUMNS + END_CLOSED] != 0.0:
        e = &ends[list[closed]]
        settle(e, e.q_in - e.v_in / e.slope)
        e.v = 0.0
        e.flow = 0.0
        closed += 1
    return closed
