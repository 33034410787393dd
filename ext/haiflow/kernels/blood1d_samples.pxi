# What is sampled of a network: stations of each vessel and pressures of the nodes.

from libc.math cimport sqrt


cdef double sampled_wall(const Step *w, int v, int j) noexcept nogil:
    # The viscous pressure in a cell, by the fluxes of the first stage.
    cdef double left = w.mass_1[j] if j > w.net.cell[2 * v] else -w.ends[2 * v].flow
    cdef double right = w.mass_1[j + 1] if j < w.net.cell[2 * v + 1] else w.ends[2 * v + 1].flow
    return cell_pressure(w.area, w.wall_cell, left, right, j)


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
        if w.viscous:
            row[9 * v + 3] += 0.5 * (sampled_wall(w, v, m) + sampled_wall(w, v, e))
        row[9 * v + 4] = 0.5 * (w.flow[m] + w.flow[e])
        row[9 * v + 5] = 0.5 * (w.area[m] + w.area[e])
    for i in range(net.nodes):
        node_row[i] = w.now[i]
        head_row[i] = w.head[i]
