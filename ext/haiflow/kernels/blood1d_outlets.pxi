# Inlets and outlets: what each kind asks of its node, with pressure = a + b flow at an outlet.
#
# Windkessel: proximal resistance R1, then a capacitor C that drains through the distal resistance to the base pressure;
# theta-implicit in time. Reflection: the wave that comes back is a fraction R of the one that leaves (Alastruey et al
# 2008, Commun Comput Phys 4:317). A closed end reflects all.

from libc.math cimport sqrt


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


cdef double reflect(End *e, const double *t, double base, double reflection) noexcept nogil:
    # (1 + R) v = 4 (1 - R) (c - c_base), with the arriving wave v + kappa 4 c known; closed form.
    cdef double q_base = sqrt(upper(t[END_S0] + base / t[END_B], 0.05 * t[END_ROOT]))
    cdef double absorb = 4.0 * t[END_G] * (1.0 - reflection)
    cdef double wave = e.v_in - e.slope * e.q_in
    settle(e, (wave * (1.0 + reflection) + absorb * q_base) / (absorb - e.slope * (1.0 + reflection)))
    return t[END_B] * (e.q * e.q - t[END_S0])


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
