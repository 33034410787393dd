"""What a run found: the record in memory, the folder on disk, the way back."""

from haiflow.results.record import (
    Event,
    Finding,
    LiverField,
    Marker,
    Network,
    Presenter,
    PumpBody,
    Results,
    Scan,
    Series,
)

__all__ = ["Event", "Finding", "LiverField", "Marker", "Network", "Presenter", "PumpBody", "Results", "Scan", "Series"]
