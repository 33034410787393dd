"""Many variants of one scenario: planned, run on any number of processes, resumed, gathered."""
