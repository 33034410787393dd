/* The plain kernel that ours is measured against: one vessel, no junctions, square-root tube law, MUSCL (minmod) and HLL,
   two stages (Heun), separate passes over contiguous arrays, branch-free minima. One uniform vessel with closed ends is
   all it can do. Compiled by kernel_blood1d.py with the flags of our own kernels. */
#include <math.h>

static inline double least(double a, double b) { return a < b ? a : b; }
static inline double most(double a, double b) { return a > b ? a : b; }
static inline double minmod(double a, double b) { return most(least(a, b), 0.0) + least(most(a, b), 0.0); }

/* a, u: n + 2 cells with ghosts; fluxes fa, fq (n + 1); slopes sa, su (n + 2). */
static void fluxes(int n, double *restrict fa, double *restrict fq, double *restrict sa, double *restrict su,
                   double *restrict a, double *restrict q, double *restrict u, double k) {
    a[0] = a[1], q[0] = -q[1], a[n + 1] = a[n], q[n + 1] = -q[n];
    for (int i = 0; i < n + 2; i++) u[i] = q[i] / a[i];
    sa[0] = su[0] = sa[n + 1] = su[n + 1] = 0.0;
    for (int i = 1; i <= n; i++) {
        sa[i] = 0.5 * minmod(a[i] - a[i - 1], a[i + 1] - a[i]);
        su[i] = 0.5 * minmod(u[i] - u[i - 1], u[i + 1] - u[i]);
    }
    for (int i = 0; i <= n; i++) {
        double al = a[i] + sa[i], ar = a[i + 1] - sa[i + 1], ul = u[i] + su[i], ur = u[i + 1] - su[i + 1];
        double rl = sqrt(al), rr = sqrt(ar), cl = sqrt(1.5 * k * rl), cr = sqrt(1.5 * k * rr);
        double lo = least(least(ul - cl, ur - cr), 0.0), hi = most(most(ul + cl, ur + cr), 0.0), w = 1.0 / (hi - lo);
        double pl = al * (ul * ul + k * rl), pr = ar * (ur * ur + k * rr);
        fa[i] = w * (hi * al * ul - lo * ar * ur + lo * hi * (ar - al));
        fq[i] = w * (hi * pl - lo * pr + lo * hi * (ar * ur - al * ul));
    }
}

/* work: 8 (n + 2) doubles; k = beta / (3 rho A0); drag: friction 2 (zeta + 2) pi nu. */
void march(int steps, int n, double *restrict a, double *restrict q, double *restrict work, double dt_dx, double dt,
           double k, double drag) {
    int m = n + 2;
    double *fa = work, *fq = fa + m, *sa = fq + m, *su = sa + m, *u = su + m, *a1 = u + m, *q1 = a1 + m;
    for (int step = 0; step < steps; step++) {
        fluxes(n, fa, fq, sa, su, a, q, u, k);
        for (int i = 1; i <= n; i++) {
            a1[i] = a[i] - dt_dx * (fa[i] - fa[i - 1]);
            q1[i] = q[i] - dt_dx * (fq[i] - fq[i - 1]) - dt * drag * u[i];
        }
        fluxes(n, fa, fq, sa, su, a1, q1, u, k);
        for (int i = 1; i <= n; i++) {
            a[i] = 0.5 * (a[i] + a1[i] - dt_dx * (fa[i] - fa[i - 1]));
            q[i] = 0.5 * (q[i] + q1[i] - dt_dx * (fq[i] - fq[i - 1]) - dt * drag * u[i]);
        }
    }
}
