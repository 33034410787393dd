# Where injected mass goes: injection j adds mass at a node (the fraction split[j, end] of it to that end if it flows
# away from the node; the rest by flow) or, with node -1 or nothing flowing away, in its cell.


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
