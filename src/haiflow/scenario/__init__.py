"""The file the user wrote: reading, library values, units, checks, and the frozen SI model that a run is made of."""
