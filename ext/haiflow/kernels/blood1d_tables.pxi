# The tables and states that the blood-flow kernel works on, as C sees them; haiflow.arteries.plan fills the tables,
# with rows and columns in the order of the names here.
#
# Layout. Cells and faces share one index: slot j is a cell and the face on its left. Each vessel ends with an idle slot
# that carries its last face only, so every pass is one loop over all vessels, without a branch. End 2 v is the start of
# vessel v, end 2 v + 1 its end.

cdef extern from *:
    """
    typedef double *__restrict__ out_t;
    typedef const double *__restrict__ in_t;
    """
    ctypedef double *out_t
    ctypedef const double *in_t

cdef enum:
    CELL_S0, CELL_B, CELL_DTDX, CELL_SOURCE, CELL_SPEED, CELL_WALL, CELL_CUBIC
cdef enum:
    FACE_S0, FACE_SLACK, FACE_K, FACE_C, FACE_WALL
cdef enum:
    END_SIGN, END_B, END_S0, END_K, END_G, END_VISCOUS, END_TURBULENT, END_CLOSED, END_COLUMNS
cdef enum:
    NODE_R1, NODE_DISTAL_CONDUCTANCE, NODE_DT_OVER_C, NODE_THETA, NODE_BASE, NODE_REFLECTION, NODE_KINETIC, NODE_COLUMNS
cdef enum:
    JUNCTION, FLOW_INLET, PRESSURE_INLET, WINDKESSEL, RESISTANCE, REFLECTION


cdef struct End:
    double v_in, q_in, s_in  # state extrapolated from inside, v towards the node
    double slope             # dv/dq along the wave that goes back into the vessel
    double q, v, flow        # state at the node
    double h, dh             # head there and its slope in q


cdef struct Net:
    int slots, nodes, ends, vessels
    const int *node_start    # (nodes + 1) into node_end
    const int *node_end      # ends by node, closed ones first
    const int *kind          # (nodes)
    const int *face          # (ends) slot of the face
    const int *cell          # (ends) slot of the cell
    const double *end        # (ends, END_COLUMNS)
    const double *node       # (nodes, NODE_COLUMNS)
    double alpha, rho


cdef inline double lower(double a, double b) noexcept nogil:
    return a if a < b else b


cdef inline double upper(double a, double b) noexcept nogil:
    return a if a > b else b
