"""What the parts share: limiters, transport on channels, and the implicit step of the joined balances."""
