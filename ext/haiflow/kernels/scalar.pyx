# Advection and dispersion of dissolved species on channels: chains of cells with given volume fluxes.
#
# One step of length dt takes cell volumes V to V' = V - dt (F_right - F_left) - dt (holes) + dt (source) and
#
#     c' = c - dt / V' [ F_right (c_right - c) - F_left (c_left - c) ]
#
# which is the conservative balance V' c' = V c - dt (F_right c_right - F_left c_left) with V' put in: a constant stays
# constant whatever the fluxes do. Face values are upwind, second order (MUSCL-Hancock; van Leer 1984, SIAM J. Sci.
# Stat. Comput. 5:1; for a linear equation this is the flux-limited Lax-Wendroff scheme of Sweby 1984):
#
#     c_face = c_up +- (1 - |F| dt / V_up) s_up / 2
#
# With |s| at most twice the difference to either neighbour, and outflow of at most V in a step, c' is a weighted mean
# of c and its neighbours: no over- or undershoot (the weights are all positive because (1 - b)^2 >= 0 for a cell whose
# outflow is the fraction b of its volume; with holes that take the fraction h, b + h <= 3/4 is enough).
# Dispersion follows implicitly (backward Euler, one tridiagonal solve a channel), with no flux across channel ends.

from libc.math cimport ceil, exp, fabs, isfinite


cdef inline double least(double a, double b) noexcept nogil:
    return a if a < b else b


cdef inline double most(double a, double b) noexcept nogil:
    return a if a > b else b


# ---------------------------------------------------------------- slopes

cdef inline double minmod(double a, double b) noexcept nogil:
    return most(least(a, b), 0.0) + least(most(a, b), 0.0)


cdef inline double van_leer(double a, double b) noexcept nogil:
    cdef double product = a * b
    return 2.0 * product / (a + b) if product > 0.0 else 0.0


cdef inline double limited(double a, double b, int limiter) noexcept nogil:
    if limiter == 0:
        return minmod(a, b)
    if limiter == 1:
        return van_leer(a, b)
    return minmod(2.0 * minmod(a, b), 0.5 * (a + b))


cdef void slopes(double* s, const double* c, int n, double left, double right, int limiter) noexcept nogil:
    """Limited difference across each cell of a channel whose neighbours beyond the ends are left and right."""
    cdef int i
    if limiter == 0:
        for i in range(1, n - 1):
            s[i] = minmod(c[i] - c[i - 1], c[i + 1] - c[i])
    elif limiter == 1:
        for i in range(1, n - 1):
            s[i] = van_leer(c[i] - c[i - 1], c[i + 1] - c[i])
    else:
        for i in range(1, n - 1):
            s[i] = minmod(2.0 * minmod(c[i] - c[i - 1], c[i + 1] - c[i]), 0.5 * (c[i + 1] - c[i - 1]))
    if n == 1:
        s[0] = limited(c[0] - left, right - c[0], limiter)
    else:
        s[0] = limited(c[0] - left, c[1] - c[0], limiter)
        s[n - 1] = limited(c[n - 1] - c[n - 2], right - c[n - 1], limiter)


cdef inline double bounded(double s, double difference) noexcept nogil:
    """The slope s of an entry cell, at most twice the difference from the entering value and of its sign."""
    return minmod(s, 2.0 * difference)


# ---------------------------------------------------------------- faces and cells

cdef void upwind_weights(double* w, const double* flow, const double* volume, double dt, int n) noexcept nogil:
    """(1 - |F| dt / V_up) / 2 with the sign of the flow, at each face of a channel; an end takes its own cell."""
    cdef int i, up
    cdef double half
    for i in range(n + 1):
        up = i - 1 if (flow[i] > 0.0 and i > 0) or i == n else i
        half = 0.5 * (1.0 - fabs(flow[i]) * dt / volume[up])
        w[i] = half if flow[i] > 0.0 else -half


cdef void inner_faces(double* face, const double* c, const double* s, const double* w, const double* flow,
                      int n) noexcept nogil:
    cdef int i
    for i in range(1, n):
        face[i] = c[i - 1] + w[i] * s[i - 1] if flow[i] > 0.0 else c[i] + w[i] * s[i]


cdef void carry(double* c, const double* face, const double* flow, const double* rate, int n) noexcept nogil:
    """c - dt / V' [F_right (c_right - c) - F_left (c_left - c)]; rate is dt / V'."""
    cdef int i
    for i in range(n):
        c[i] -= rate[i] * (flow[i + 1] * (face[i + 1] - c[i]) - flow[i] * (face[i] - c[i]))


cdef void new_volumes(double* new, double* rate, const double* volume, const double* flow, const double* source,
                      double dt, int n) noexcept nogil:
    """V' and dt / V'."""
    cdef int i
    for i in range(n):
        new[i] = volume[i] - dt * (flow[i + 1] - flow[i]) + dt * source[i]
        rate[i] = dt / new[i]


# ---------------------------------------------------------------- dispersion

cdef void factor(double* gain, double* below, double* above, const double* volume, const double* conductance,
                 double dt, int n) noexcept nogil:
    """Thomas factors of V' + dt (dispersion): forward x = gain r + below x_before, back x += above x_after."""
    cdef int i
    cdef double low, diagonal
    for i in range(n):
        low = dt * conductance[i] if i > 0 else 0.0
        diagonal = volume[i] + low + (dt * conductance[i + 1] if i < n - 1 else 0.0)
        if i > 0:
            diagonal -= low * above[i - 1]
        gain[i] = 1.0 / diagonal
        below[i] = low * gain[i]
        above[i] = dt * conductance[i + 1] * gain[i] if i < n - 1 else 0.0


cdef void disperse(double* c, const double* volume, const double* gain, const double* below, const double* above,
                   int n) noexcept nogil:
    cdef int i
    for i in range(n):
        c[i] *= volume[i] * gain[i]
    for i in range(1, n):
        c[i] += below[i] * c[i - 1]
    for i in range(n - 2, -1, -1):
        c[i] += above[i] * c[i + 1]


# ---------------------------------------------------------------- the catheter's lumen

cdef double lumen_dispersion(double flow, double area, double diffusivity, double length) noexcept nogil:
    """Gill & Sankarasubramanian's K at the residence time of the line (m2/s)."""
    cdef double v = fabs(flow) / area
    cdef double radius2 = area / 3.141592653589793
    cdef double x
    if v == 0.0:
        return diffusivity
    x = 16.0 * diffusivity * length / (radius2 * v)
    if x < 1e-5:  # the series of 1 - exp(-x), where its difference would lose digits
        return diffusivity + v * length / 3.0 * (1.0 - 0.5 * x)
    return diffusivity + radius2 * v * v / (48.0 * diffusivity) * (1.0 - exp(-x))


cdef void hole_source(double* source, double* drained, const double[::1] hole_flow, const int[::1] hole_cell, int tip,
                      int n) noexcept nogil:
    """Net inflow by holes (m3/s) of each cell, and the outward part; the open end is a face, not a source."""
    cdef int i, h
    for i in range(n):
        source[i] = 0.0
        drained[i] = 0.0
    for h in range(hole_flow.shape[0]):
        if h != tip:
            source[hole_cell[h]] -= hole_flow[h]
            drained[hole_cell[h]] += most(hole_flow[h], 0.0)


cdef int lumen_sub_steps(const double* flow, const double* source, const double* drained, const double[::1] start,
                         const double[::1] end, double dt, double consistent) noexcept nogil:
    """Sub-steps that let no cell give away more than its volume (3/4 of it where a hole drains); negative if the step
    makes no sense. A full volume a step is the sharpest: a front then moves by whole cells."""
    cdef int i, n = start.shape[0]
    cdef double out, share, worst = 0.0, sound = dt, moved, misfit = 0.0
    for i in range(n):
        out = dt * (most(flow[i + 1], 0.0) + most(-flow[i], 0.0) + drained[i])
        share = 0.75 if drained[i] > 0.0 else 1.0
        worst = most(worst, out / (share * least(start[i], end[i])))
        moved = dt * (flow[i] - flow[i + 1] + source[i])
        misfit = most(misfit, fabs(end[i] - start[i] - moved) - consistent * (out + start[i]))
        sound += start[i] + end[i] + out + moved
        if not (start[i] > 0.0 and end[i] > 0.0):
            return -1
    if not isfinite(sound) or not isfinite(worst) or worst > 1e9 or dt < 0.0:
        return -1
    if misfit > 0.0:
        return -2
    return <int> most(ceil(worst * (1.0 - 1e-13)), 1.0)


def advance_lumen(
    double[:, ::1] hole_mass, double[::1] inlet_mass, double[:, ::1] c, double[::1] beyond, double[:, ::1] work,
    const double[::1] flow, const double[::1] start, const double[::1] end, const double[::1] hole_flow,
    const double[::1] inflow, const double[:, ::1] outside, const int[::1] hole_cell, int tip,
    const double[::1] face_area, const double[::1] spacing, const double[::1] diffusivity, double length,
    double time, double consistent, int limiter,
):
    """Advance c (n_species, n) by ``time`` in sub-steps; returns their number, or a negative code (nothing done).

    Adds to ``hole_mass`` (n_species, n_holes) and ``inlet_mass`` (n_species,). ``beyond`` (n_species,) is the
    concentration of the liquid just out of the open end, for the last cell's slope. ``work`` (8 + 4 n_species, n + 1).
    """
    cdef int n = c.shape[1], n_species = c.shape[0], steps, k, i, m
    cdef double* volume = &work[0, 0]
    cdef double* new = &work[1, 0]
    cdef double* rate = &work[2, 0]
    cdef double* weight = &work[3, 0]
    cdef double* face = &work[4, 0]
    cdef double* s = &work[5, 0]
    cdef double* source = &work[6, 0]
    cdef double* drained = &work[7, 0]
    cdef double dt
    cdef bint steady = True
    with nogil:
        hole_source(source, drained, hole_flow, hole_cell, tip, n)
        steps = lumen_sub_steps(&flow[0], source, drained, start, end, time, consistent)
        if steps > 0 and fabs(flow[n] - (hole_flow[tip] if tip >= 0 else 0.0)) > consistent * fabs(flow[n]):
            steps = -3
        dt = time / most(steps, 1)
        for i in range(n):
            volume[i] = start[i]
            steady = steady and start[i] == end[i]
        for k in range(n_species):
            for i in range(1, n):
                work[8 + 4 * k, i] = face_area[i] / spacing[i] * lumen_dispersion(
                    flow[i], face_area[i], diffusivity[k], length)
        for m in range(steps):
            new_volumes(new, rate, volume, &flow[0], source, dt, n)
            if m == 0 or not steady:
                upwind_weights(weight, &flow[0], volume, dt, n)
                for k in range(n_species):
                    factor(&work[9 + 4 * k, 0], &work[10 + 4 * k, 0], &work[11 + 4 * k, 0], new, &work[8 + 4 * k, 0],
                           dt, n)
            for k in range(n_species):
                lumen_faces(face, s, &beyond[k], &c[k, 0], &flow[0], weight, inflow[k],
                            outside[k, tip] if tip >= 0 else 0.0, rate[n - 1], n, limiter)
                inlet_mass[k] += dt * flow[0] * face[0]
                if tip >= 0:
                    hole_mass[k, tip] += dt * flow[n] * face[n]
                lumen_holes(hole_mass, s, c, rate, outside, hole_flow, hole_cell, tip, dt, n, k)
                carry(&c[k, 0], face, &flow[0], rate, n)
                for i in range(n):
                    c[k, i] += s[i]
                disperse(&c[k, 0], new, &work[9 + 4 * k, 0], &work[10 + 4 * k, 0], &work[11 + 4 * k, 0], n)
            volume, new = new, volume
    return steps


cdef void lumen_faces(double* face, double* s, double* beyond, const double* c, const double* flow,
                      const double* weight, double inflow, double outside, double rate, int n,
                      int limiter) noexcept nogil:
    """Face values. An end that lets in has the value outside, which sits at the face, half a cell away: twice the
    difference is the slope towards it. Beyond the open end the liquid that left stands in one more cell, for the slope
    of the last; at face 0 what is pushed back has the first cell's value."""
    cdef double left = inflow if flow[0] > 0.0 else c[0]
    cdef double right = outside
    if flow[n] < 0.0:
        slopes(s, c, n, 2.0 * left - c[0], 2.0 * right - c[n - 1], limiter)
        s[n - 1] = bounded(s[n - 1], right - c[n - 1])
        beyond[0] = c[n - 1]
    else:
        slopes(s, c, n, 2.0 * left - c[0], beyond[0], limiter)
        right = c[n - 1] + weight[n] * s[n - 1] if flow[n] > 0.0 else c[n - 1]
        beyond[0] += least(rate * flow[n], 1.0) * (right - beyond[0]) if flow[n] > 0.0 else c[n - 1] - beyond[0]
    s[0] = bounded(s[0], c[0] - left)
    inner_faces(face, c, s, weight, flow, n)
    face[0] = left
    face[n] = right


cdef void lumen_holes(double[:, ::1] mass, double* gained, const double[:, ::1] c, const double* rate,
                      const double[:, ::1] outside, const double[::1] hole_flow, const int[::1] hole_cell, int tip,
                      double dt, int n, int k) noexcept nogil:
    """What the holes (but the open end) take and bring; ``gained`` is the rise of concentration by what they bring."""
    cdef int i, h
    for i in range(n):
        gained[i] = 0.0
    for h in range(hole_flow.shape[0]):
        if h == tip:
            continue
        i = hole_cell[h]
        if hole_flow[h] > 0.0:
            mass[k, h] += dt * hole_flow[h] * c[k, i]
        else:
            mass[k, h] += dt * hole_flow[h] * outside[k, h]
            gained[i] -= rate[i] * hole_flow[h] * (outside[k, h] - c[k, i])


# ---------------------------------------------------------------- networks of channels
#
# Channel v has cells channel[v] .. channel[v + 1] and faces channel[v] + v .. channel[v + 1] + v (both included).
# Channel ends 2 v (start) and 2 v + 1 (end) meet at nodes: node_start (n_nodes + 1) points into end_list, which holds
# each node's ends. A node has no volume: what flows in mixes, and leaves at the mixture's concentration. Where
# external[node] = e >= 0 the sum of the ends' flows enters or leaves by the outside e; what enters has external_c, or,
# where external_c is NaN, the mean of the node's end cells. Injection j adds mass at a node (the fraction split[j, end]
# of it to that end if it flows away from the node; the rest by flow) or, with node -1 or nothing flowing away, in its
# cell.

cdef struct Network:
    int n_channels
    int n_nodes
    const int* channel
    const int* node_start
    const int* end_list
    const int* external


cdef inline int end_cell(const Network* g, int end) noexcept nogil:
    return g.channel[end // 2 + 1] - 1 if end % 2 else g.channel[end // 2]


cdef inline double flow_away(const Network* g, const double* flow, int end) noexcept nogil:
    """Flow from the node into the channel at one of its ends."""
    cdef int v = end // 2
    return -flow[g.channel[v + 1] + v] if end % 2 else flow[g.channel[v] + v]


cdef double outside_inflow(const Network* g, const double* flow, int node) noexcept nogil:
    """What enters the network at the node from outside (negative: leaves)."""
    cdef double away = 0.0
    cdef int p
    if g.external[node] < 0:
        return 0.0
    for p in range(g.node_start[node], g.node_start[node + 1]):
        away += flow_away(g, flow, g.end_list[p])
    return away


cdef double entering(const Network* g, const double* c, const double* external_c, int node) noexcept nogil:
    """Concentration of what enters at the node from outside."""
    cdef double given = external_c[g.external[node]], total = 0.0
    cdef int p
    if given == given:
        return given
    for p in range(g.node_start[node], g.node_start[node + 1]):
        total += c[end_cell(g, g.end_list[p])]
    return total / (g.node_start[node + 1] - g.node_start[node])


cdef void share_injection(const Network* g, double* share, double* cell_share, const double* flow, int node,
                          const double* split) noexcept nogil:
    """Fraction of one injection to each channel end, to the outside (share[2 n_channels]) and to its cell."""
    cdef int p, end
    cdef double away, left = most(-outside_inflow(g, flow, node), 0.0)
    cdef double out = left, named = 0.0, open_split = 0.0, taken, mixed
    for p in range(g.node_start[node], g.node_start[node + 1]):
        end = g.end_list[p]
        away = flow_away(g, flow, end)
        out += most(away, 0.0)
        named += split[end]
        open_split += split[end] if away > 0.0 else 0.0
    taken = named if open_split > 0.0 else 0.0
    mixed = (1.0 - taken) / out if out > 0.0 else 0.0
    cell_share[0] = 1.0 if out == 0.0 else 0.0
    share[2 * g.n_channels] = mixed * left
    for p in range(g.node_start[node], g.node_start[node + 1]):
        end = g.end_list[p]
        away = flow_away(g, flow, end)
        share[end] = mixed * away if away > 0.0 else 0.0
        if away > 0.0 and open_split > 0.0:
            share[end] += taken * split[end] / open_split


cdef void place_injections(const Network* g, double* gain, double* mass, double* leaving, const double* flow,
                           const int[::1] node, const int[::1] cell, const double[:, ::1] split,
                           const double[:, ::1] injected, double* share, int n_cells, int k) noexcept nogil:
    """Mass flow (kg/s) injected to each cell (gain), channel end (mass) and outside (leaving)."""
    cdef int i, j, p, n_ends = 2 * g.n_channels
    cdef double cell_share
    for i in range(n_cells):
        gain[i] = 0.0
    for i in range(n_ends):
        mass[i] = 0.0
    for i in range(g.n_nodes):
        leaving[i] = 0.0
    for j in range(node.shape[0]):
        cell_share = 1.0
        if node[j] >= 0:
            share_injection(g, share, &cell_share, flow, node[j], &split[j, 0])
            leaving[node[j]] += share[n_ends] * injected[k, j]
            for p in range(g.node_start[node[j]], g.node_start[node[j] + 1]):
                mass[g.end_list[p]] += share[g.end_list[p]] * injected[k, j]
        gain[cell[j]] += cell_share * injected[k, j]


cdef void ghosts(const Network* g, double* ghost, const double* c, const double* flow, const double* mass,
                 const double* external_c) noexcept nogil:
    """Neighbour value beyond each channel end: the mixture of the cells upstream of its node for a flow that enters the
    channel, of those downstream for one that leaves it, its own cell where there is none."""
    cdef int node, p, end
    cdef double away, inward, up, upstream, down, downstream
    for node in range(g.n_nodes):
        inward = most(outside_inflow(g, flow, node), 0.0)
        upstream = inward * entering(g, c, external_c, node) if inward > 0.0 else 0.0
        up, down, downstream = inward, 0.0, 0.0
        for p in range(g.node_start[node], g.node_start[node + 1]):
            end = g.end_list[p]
            away = flow_away(g, flow, end)
            up += most(-away, 0.0)
            upstream += most(-away, 0.0) * c[end_cell(g, end)]
            down += most(away, 0.0)
            downstream += most(away, 0.0) * c[end_cell(g, end)]
        for p in range(g.node_start[node], g.node_start[node + 1]):
            end = g.end_list[p]
            away = flow_away(g, flow, end)
            ghost[end] = c[end_cell(g, end)]
            if away > 0.0 and up > 0.0:
                ghost[end] = upstream / up + mass[end] / away
            elif away < 0.0 and down > 0.0:
                ghost[end] = downstream / down


cdef void end_faces(const Network* g, double* face, const double* c, const double* s, const double* w,
                    const double* flow) noexcept nogil:
    """Face values of the channel ends that flow into their node."""
    cdef int end, f, i
    for end in range(2 * g.n_channels):
        i = end_cell(g, end)
        f = i + end // 2 + end % 2
        face[f] = c[i] + w[f] * s[i] if flow_away(g, flow, end) < 0.0 else c[i]


cdef void mix(const Network* g, double* face, double* outflow, const double* c, const double* flow,
              const double* leaving, const double* external_c, double dt) noexcept nogil:
    """Give the ends that flow away from a node the mixture's value; add what leaves by the outside."""
    cdef int node, p, end, f
    cdef double inward, away, total, amount, value
    for node in range(g.n_nodes):
        inward = outside_inflow(g, flow, node)
        total = most(inward, 0.0)
        value = entering(g, c, external_c, node) if inward > 0.0 else 0.0
        amount = total * value
        if inward > 0.0:
            outflow[g.external[node]] -= dt * inward * value
        for p in range(g.node_start[node], g.node_start[node + 1]):
            end = g.end_list[p]
            away = flow_away(g, flow, end)
            f = end_cell(g, end) + end // 2 + end % 2
            total += most(-away, 0.0)
            amount += most(-away, 0.0) * face[f]
        if total > 0.0:
            for p in range(g.node_start[node], g.node_start[node + 1]):
                end = g.end_list[p]
                f = end_cell(g, end) + end // 2 + end % 2
                if flow_away(g, flow, end) > 0.0:
                    face[f] = amount / total
        if g.external[node] >= 0:
            if inward < 0.0 and total > 0.0:
                outflow[g.external[node]] -= dt * inward * amount / total
            outflow[g.external[node]] += dt * leaving[node]


cdef void entry_slopes(const Network* g, double* s, const double* c, const double* face, const double* flow,
                       const double* mass) noexcept nogil:
    """Bound the slope of a cell that a node feeds by the value that enters."""
    cdef int end, i, f
    cdef double away, value
    for end in range(2 * g.n_channels):
        away = flow_away(g, flow, end)
        i = end_cell(g, end)
        f = i + end // 2 + end % 2
        if away > 0.0:
            value = face[f] + mass[end] / away
            s[i] = bounded(s[i], value - c[i] if end % 2 else c[i] - value)


cdef double fullest_outflow(const Network* g, const double* flow, const double* volume,
                            const double* source) noexcept nogil:
    """Largest rate (1/s) at which a cell gives away its volume."""
    cdef int v, i
    cdef double worst = 0.0
    for v in range(g.n_channels):
        for i in range(g.channel[v], g.channel[v + 1]):
            worst = most(worst, (most(flow[i + v + 1], 0.0) + most(-flow[i + v], 0.0) + most(-source[i], 0.0))
                         / volume[i])
    return worst


def advance_network(
    double[:, ::1] c, double[::1] volume, double[:, ::1] outflow, double[:, ::1] work,
    const double[:, ::1] face_flux, double time, const int[::1] channel, const int[::1] node_start,
    const int[::1] end_list, const int[::1] external, const double[:, ::1] external_c, const int[::1] injection_node,
    const int[::1] injection_cell, const double[:, ::1] split, const double[:, ::1] injected,
    const double[::1] source, const double[::1] conductance, int limiter,
):
    """Replay face_flux (n_steps, n_faces), each step ``time`` long, on c (n_species, n_cells) and volume (n_cells,).

    Adds the mass that leaves by each outside to ``outflow`` (n_species, n_external), negative if it enters. ``source``
    (n_cells,) m3/s is liquid that enters a cell with what is injected there; ``conductance`` (n_faces,) m3/s is
    K A / dx. A step in which a cell would give away more than its volume is cut. Returns the number of steps done, or
    minus the step (from 1) whose volumes are no longer positive. ``work`` is (8, n_faces + 2 n_channels + 1).
    """
    cdef Network g
    cdef int n_cells = c.shape[1], n_species = c.shape[0], n_steps = face_flux.shape[0], done = 0
    cdef int step, _part, parts, k, i
    cdef double dt, worst
    cdef double* new = &work[0, 0]
    cdef double* rate = &work[1, 0]
    cdef double* w = &work[2, 0]
    cdef double* face = &work[3, 0]
    cdef double* s = &work[4, 0]
    cdef double* gain = &work[5, 0]
    cdef double* mass = &work[6, 0]
    cdef double* other = &work[7, 0]
    cdef const double* flow
    g.n_channels, g.n_nodes = channel.shape[0] - 1, external.shape[0]
    g.channel, g.node_start, g.end_list, g.external = &channel[0], &node_start[0], &end_list[0], &external[0]
    with nogil:
        for step in range(n_steps):
            flow = &face_flux[step, 0]
            worst = time * fullest_outflow(&g, flow, &volume[0], &source[0])
            if not worst < 1e6:
                done = -step - 1
                break
            # Volumes change within the step, so a cut leaves room for cells that shrink.
            parts = <int> ceil(worst / 0.75) if worst > 1.0 else 1
            dt = time / parts
            for _part in range(parts):
                for i in range(g.n_channels):
                    new_volumes(new + channel[i], rate + channel[i], &volume[channel[i]], flow + channel[i] + i,
                                &source[channel[i]], dt, channel[i + 1] - channel[i])
                    upwind_weights(w + channel[i] + i, flow + channel[i] + i, &volume[channel[i]], dt,
                                   channel[i + 1] - channel[i])
                for k in range(n_species):
                    place_injections(&g, gain, mass, other, flow, injection_node, injection_cell, split, injected, face,
                                     n_cells, k)
                    advance_species(&g, &c[k, 0], face, s, &outflow[k, 0], other, mass, gain, flow, w, rate,
                                    &external_c[k, 0], &source[0], dt, limiter)
                    disperse_channels(&g, &c[k, 0], new, face, s, gain, &conductance[0], dt)
                for i in range(n_cells):
                    volume[i] = new[i]
                    if not new[i] > 0.0:
                        done = -step - 1
                done = done + 1 if done >= 0 else done
                if done < 0:
                    break
            if done < 0:
                break
    return done


cdef void advance_species(const Network* g, double* c, double* face, double* s, double* outflow, double* leaving,
                          const double* mass, const double* gain, const double* flow, const double* w,
                          const double* rate, const double* external_c, const double* source, double dt,
                          int limiter) noexcept nogil:
    """One explicit step of one species on all channels."""
    cdef int v, i, first, n
    cdef double* ghost = leaving + g.n_nodes
    ghosts(g, ghost, c, flow, mass, external_c)
    for v in range(g.n_channels):
        first, n = g.channel[v], g.channel[v + 1] - g.channel[v]
        slopes(s + first, c + first, n, ghost[2 * v], ghost[2 * v + 1], limiter)
    end_faces(g, face, c, s, w, flow)
    mix(g, face, outflow, c, flow, leaving, external_c, dt)
    entry_slopes(g, s, c, face, flow, mass)
    for v in range(g.n_channels):
        first, n = g.channel[v], g.channel[v + 1] - g.channel[v]
        inner_faces(face + first + v, c + first, s + first, w + first + v, flow + first + v, n)
        for i in range(first, first + n):
            s[i] = rate[i] * (gain[i] - source[i] * c[i])
        s[first] += rate[first] * mass[2 * v]
        s[first + n - 1] += rate[first + n - 1] * mass[2 * v + 1]
        carry(c + first, face + first + v, flow + first + v, rate + first, n)
        for i in range(first, first + n):
            c[i] += s[i]


cdef void disperse_channels(const Network* g, double* c, const double* volume, double* gain, double* below,
                            double* above, const double* conductance, double dt) noexcept nogil:
    cdef int v, first, n
    for v in range(g.n_channels):
        first, n = g.channel[v], g.channel[v + 1] - g.channel[v]
        if n > 1 and conductance[first + v + 1] > 0.0:
            factor(gain, below, above, volume + first, conductance + first + v, dt, n)
            disperse(c + first, volume + first, gain, below, above, n)
