# What is sampled of a network: stations of each vessel and pressures of the nodes.

from libc.math cimport sqrt


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
            row[k] += w.ends[e].resist * (w.ends[e].f_in - w.ends[e].flow)
            row[k + 1] = net.end[e * END_COLUMNS + END_SIGN] * w.ends[e].flow
            row[k + 2] = s * s
        m = (net.cell[2 * v] + net.cell[2 * v + 1]) // 2
        e = (net.cell[2 * v] + net.cell[2 * v + 1] + 1) // 2
        row[9 * v + 3] = 0.5 * (w.b[m] * (sqrt(w.area[m]) - w.s0[m]) + w.b[e] * (sqrt(w.area[e]) - w.s0[e]))
        if w.viscous and e > m:
            row[9 * v + 3] += 2.0 * w.wall_face[e] / (sqrt(w.area[m]) + sqrt(w.area[e])) * (w.flow[m] - w.flow[e])
        elif w.viscous:
            row[9 * v + 3] += 0.5 * w.wall_face[m] / sqrt(w.area[m]) * (w.flow[m - 1] - w.flow[m + 1])
        row[9 * v + 4] = 0.5 * (w.flow[m] + w.flow[e])
        row[9 * v + 5] = 0.5 * (w.area[m] + w.area[e])
    for i in range(net.nodes):
        node_row[i] = w.now[i]
        head_row[i] = w.head[i]
