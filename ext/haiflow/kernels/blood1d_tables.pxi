# The tables and states that the blood-flow kernel works on, as C sees them; haiflow.arteries.plan fills the tables,
# with rows and columns in the order of the names here.
#
# Layout. Cells and faces share one index: slot j is a cell and the face on its left. Each vessel ends with an idle slot
# that carries its last face only. End 2 v is the start of vessel v, end 2 v + 1 its end. A block is a part of a vessel
# or a row of whole short ones of one level, small enough for the first-level cache; it is the unit of work of a thread.
#
# Local time steps. A vessel of level l takes steps of 2^l fine steps, a node those of its fastest vessel; 2^top fine
# steps are one whole step, at the end of which all stand at the same time. Blocks and nodes lie in the order of their
# levels, and the part of each thread in each level is a range.
#
# Gravity. All pressures are brought to the inlet's height; CELL_S0, FACE_S0 and END_S0 are the roots of the area where
# that pressure is zero, which a deep or soft vessel may have below zero. END_ROOT is the root of A0 itself.

cdef extern from *:
    """
    /* spelt as gcc, clang and MSVC all know it */
    typedef double *__restrict out_t;
    typedef const double *__restrict in_t;
    """
    ctypedef double *out_t
    ctypedef const double *in_t

cdef enum:
    CELL_S0, CELL_B, CELL_DTDX, CELL_SOURCE, CELL_SPEED, CELL_WALL, CELL_CUBIC
cdef enum:
    FACE_S0, FACE_SLACK, FACE_K
cdef enum:
    END_SIGN, END_B, END_S0, END_K, END_G, END_VISCOUS, END_TURBULENT, END_CLOSED, END_ROOT, END_COLUMNS
cdef enum:
    OPEN, SHUT, SEALED  # END_CLOSED: a vessel is shut at its start, sealed at a closed outlet
cdef enum:
    NODE_R1, NODE_DISTAL_CONDUCTANCE, NODE_DT_OVER_C, NODE_THETA, NODE_BASE, NODE_REFLECTION, NODE_KINETIC, NODE_COLUMNS
cdef enum:
    JUNCTION, FLOW_INLET, PRESSURE_INLET, WINDKESSEL, RESISTANCE, REFLECTION
cdef enum:
    BLOCK_FIRST, BLOCK_LAST, BLOCK_VESSEL, BLOCK_LAST_VESSEL, BLOCK_COLUMNS


cdef struct End:
    double p_0, v_0          # extrapolated from inside at the start of the vessel's step, v towards the node
    double p_1, v_1          # the same at its end, as the first stage predicts it
    double push              # what the areas do to the elastic pressure at the end, times g dt
    double resist            # of the viscous wall, whose pressure at the end is resist (f_in - flow)
    double f_in
    double v_in, q_in, s_in  # the state that arrives at the node
    double slope             # dv/dq along the wave that goes back into the vessel
    double q, v, flow        # state at the node
    double h, per_dh         # head there and one over its slope in q
    double flow_1            # through the face in the first stage of the node's step, and with what momentum
    double momentum_1


cdef enum:
    WALL_INERTIA, WALL_OFF, WALL_PIVOT, WALL_START, WALL_FINISH, WALL_SOFT  # rows
cdef enum:
    WALL_END_COLUMNS = 4     # how the flow rate at an end follows the first and last cell, and the heads at both nodes


cdef struct Walls:
    # 1 - g dt J of the viscous walls, factorised: haiflow.arteries.wall_factors.
    const double *inertia    # (slots) one over g dt A / (rho dx)
    const double *off        # (slots) below the diagonal of L
    const double *pivot      # (slots) one over D
    const double *start      # (slots) what a flow rate of 1 at the vessel's start adds to its cells
    const double *finish     # and at its end
    const double *soft       # (slots) what the areas do to the pressure
    const double *end        # (ends, WALL_END_COLUMNS)
    const int *node          # (ends)
    const int *row           # (nodes) place in the factors, and of the heads found
    const int *column
    const int *lower_start
    const int *lower_row
    const double *lower
    const int *upper_start
    const int *upper_row
    const double *upper
    const double *taken      # (nodes) m3/s that its outlet takes for each Pa of a node's head
    const double *sent_back  # (nodes) the same, over g, of an outlet that sends back a part of its waves; else 0
    bint reflect             # whether there is one
    double *work             # (nodes)
    double *head
    double *right
    double *more             # that a reflecting outlet takes now


cdef struct Net:
    int nodes, ends, vessels, top
    const int *node_start    # (nodes + 1) into node_end
    const int *node_end      # ends by node, closed ones first
    const int *kind          # (nodes)
    const int *node_level    # (nodes)
    const int *level         # (vessels)
    const int *face          # (ends) slot of the face
    const int *cell          # (ends) slot of the cell
    const double *dtdx       # (vessels) the vessel's own step over its cell length
    const double *end        # (ends, END_COLUMNS)
    const double *node       # (nodes, NODE_COLUMNS)
    double alpha, rho


cdef inline double lower(double a, double b) noexcept nogil:
    return a if a < b else b


cdef inline double upper(double a, double b) noexcept nogil:
    return a if a > b else b


cdef double *SHARE = [1.0, 0.5, 0.25, 0.125, 0.0625]  # of a step that is so many levels coarser
