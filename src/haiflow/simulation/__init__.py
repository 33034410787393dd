"""The only room where the parts meet: timeline, coupling, ledger, both clocks."""
