# Dispersion along one channel, implicit (backward Euler), with no flux across its ends:
#
#     (V' + dt D) c' = V' c
#
# one tridiagonal system a channel (Thomas), factored once for all steps that share it. In the lumen the coefficient is
# that of Gill & Sankarasubramanian (1970, Proc R Soc A 316:341) at the residence time of the line.

from libc.math cimport exp, fabs


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
