# Threads that march together. Each runs the same loop on its own blocks and nodes and waits for the others where it
# reads what they wrote; what a cell or a node becomes does not depend on who computes it, so results are the same to
# the last bit for any number of threads.
#
# Most of what a thread does concerns itself alone. Blocks and nodes that another thread's nodes and blocks touch are
# shared; they lie first in their range and are done first. Then a thread says that it has arrived, goes on with its own
# blocks or nodes, and only then waits for what the others share with it, which has come long since. Needs the atomic
# built-ins of gcc or clang; elsewhere one thread marches.

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
    /* b[16 t]: how often thread t has come, each on cache lines of its own. Whoever waits long lets others have the
       processor. */
    static inline void haiflow_arrive(long long *b, int thread, int threads) {
        if (threads > 1) __atomic_store_n(b + 16 * thread, b[16 * thread] + 1, __ATOMIC_RELEASE);
    }
    static inline void haiflow_wait(long long *b, int thread, int threads) {
        int t, spins = 0;
        if (threads < 2) return;
        for (t = 0; t < threads; t++) {
            while (__atomic_load_n(b + 16 * t, __ATOMIC_ACQUIRE) < b[16 * thread]) {
                if (++spins > 400) sched_yield();
                else HAIFLOW_PAUSE();
            }
        }
    }
    #else
    #define HAIFLOW_TEAM 0
    static inline void haiflow_arrive(long long *b, int thread, int threads) {
        (void) b; (void) thread; (void) threads;
    }
    static inline void haiflow_wait(long long *b, int thread, int threads) {
        (void) b; (void) thread; (void) threads;
    }
    #endif
    """
    const bint HAIFLOW_TEAM
    void haiflow_arrive(long long *barrier, int thread, int threads) noexcept nogil
    void haiflow_wait(long long *barrier, int thread, int threads) noexcept nogil


cdef struct Team:
    long long *barrier
    long long *bad           # (threads, 8) what each thread has found wrong, by kind
    int thread, threads
    const int *block_range   # (levels, 2 threads + 1) into the blocks: of each thread, the shared and then its own
    const int *node_range    # (levels, 2 threads + 1) into node_order
    const int *block         # (blocks, BLOCK_COLUMNS)
    const int *node_order


cdef inline void arrive_at(Team *team) noexcept nogil:
    # What the others share with this thread is done.
    haiflow_arrive(team.barrier, team.thread, team.threads)


cdef inline void wait_for(Team *team) noexcept nogil:
    # Until all have arrived as often as this thread has.
    haiflow_wait(team.barrier, team.thread, team.threads)


cdef inline void meet(Team *team) noexcept nogil:
    # All of everyone's work up to here is done.
    arrive_at(team)
    wait_for(team)


cdef inline const int *part_of(const Team *team, const int *ranges, int level) noexcept nogil:
    # Where this thread's part of a level begins, where what is its own alone, and where both end.
    return ranges + level * (2 * team.threads + 1) + 2 * team.thread


cdef long long all_bad(Team *team, int kind) noexcept nogil:
    # The sum over the threads. Each kind is written again only after all have met once more.
    cdef int t
    cdef long long sum = 0
    for t in range(team.threads):
        sum += team.bad[8 * t + kind]
    return sum
