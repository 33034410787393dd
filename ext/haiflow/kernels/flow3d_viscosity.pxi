# Blood that thins with shear: viscosity by cell, and the transposed part of the stress that varies with it.


cdef inline void cell_gradient(
    double *g, const double[:, ::1] velocity, const int[:, ::1] tetra, const double[:, :, ::1] shape, Py_ssize_t k
) noexcept nogil:
    # g[3 c + d] = d u_c / d x_d
    cdef int a, c, d
    for c in range(9):
        g[c] = 0.0
    for a in range(4):
        for c in range(3):
            for d in range(3):
                g[3 * c + d] += velocity[tetra[k, a], c] * shape[k, a, d]


def shear_rates(
    double[::1] rate, const double[:, ::1] velocity, const int[:, ::1] tetra, const double[:, :, ::1] shape
):
    """``rate`` (m,) 1/s: sqrt(2 D : D) in each cell."""
    cdef Py_ssize_t k, m = tetra.shape[0]
    cdef int c, d
    cdef double g[9]
    cdef double total, s
    with nogil:
        for k in range(m):
            cell_gradient(g, velocity, tetra, shape, k)
            total = 0.0
            for c in range(3):
                for d in range(3):
                    s = 0.5 * (g[3 * c + d] + g[3 * d + c])
                    total = total + s * s
            rate[k] = sqrt(2.0 * total)


def carreau_yasuda(
    double[::1] out, const double[::1] rate, double at_rest, double thin, double time, double power, double index
):
    """``out`` (m,) m2/s: ``thin + (at_rest - thin) (1 + (time rate)^power)^((index - 1) / power)``."""
    cdef Py_ssize_t k
    with nogil:
        for k in range(out.shape[0]):
            out[k] = thin + (at_rest - thin) * pow(1.0 + pow(time * rate[k], power), (index - 1.0) / power)


def transposed_stress(
    double[:, ::1] out, const double[:, ::1] velocity, const double[::1] viscosity, const int[:, ::1] tetra,
    const double[:, :, ::1] shape, const double[::1] volume,
):
    """Add to ``out`` (n, 3) m4/s2 what ``div(nu (grad u)^T)`` gives to each control volume."""
    cdef Py_ssize_t k, m = tetra.shape[0]
    cdef int a, c, d
    cdef double g[9]
    cdef double w, t
    with nogil:
        for k in range(m):
            cell_gradient(g, velocity, tetra, shape, k)
            w = viscosity[k] * volume[k]
            for a in range(4):
                for c in range(3):
                    t = 0.0
                    for d in range(3):
                        t = t + g[3 * d + c] * shape[k, a, d]
                    out[tetra[k, a], c] -= w * t
