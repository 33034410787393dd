# Threads that march together. Each runs the same loop on its own blocks and nodes and waits for the others where it
# reads what they wrote; what a cell or a node becomes does not depend on who computes it, so results are the same to
# the last bit for any number of threads. Needs the atomic built-ins of gcc or clang; elsewhere one thread marches.

cdef extern from *:
    """
    #if defined(__GNUC__) && !defined(_WIN32)
    #include <sched.h>
    #define HAIFLOW_TEAM 1
    #if defined(__x86_64__) || defined(__i386__)
    #define HAIFLOW_PAUSE() __builtin_ia32_pause()
    #else
    #define HAIFLOW_PAUSE() ((void) 0)
    #endif
    /* b[0]: how many have come; b[8]: how often all have met. Whoever waits long lets others have the processor. */
    static inline void haiflow_meet(long long *b, int threads) {
        long long round;
        int spins = 0;
        if (threads < 2) return;
        round = __atomic_load_n(b + 8, __ATOMIC_ACQUIRE);
        if (__atomic_add_fetch(b, 1, __ATOMIC_ACQ_REL) == threads) {
            __atomic_store_n(b, 0, __ATOMIC_RELAXED);
            __atomic_store_n(b + 8, round + 1, __ATOMIC_RELEASE);
        } else {
            while (__atomic_load_n(b + 8, __ATOMIC_ACQUIRE) == round) {
                if (++spins > 400) sched_yield();
                else HAIFLOW_PAUSE();
            }
        }
    }
    #else
    #define HAIFLOW_TEAM 0
    static inline void haiflow_meet(long long *b, int threads) { (void) b; (void) threads; }
    #endif
    """
    const bint HAIFLOW_TEAM
    void haiflow_meet(long long *barrier, int threads) noexcept nogil


cdef struct Team:
    long long *barrier
    long long *bad           # (threads, 8) what each thread has found wrong, by kind
    int thread, threads
    const int *block_range   # (levels, threads + 1) into the blocks
    const int *node_range    # (levels, threads + 1) into node_order
    const int *block         # (blocks, BLOCK_COLUMNS)
    const int *node_order


cdef inline void meet(Team *team) noexcept nogil:
    haiflow_meet(team.barrier, team.threads)


cdef long long all_bad(Team *team, int kind) noexcept nogil:
    # The sum over the threads. Each kind is written again only after all have met once more.
    cdef int t
    cdef long long sum = 0
    for t in range(team.threads):
        sum += team.bad[8 * t + kind]
    return sum
