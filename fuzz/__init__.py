"""Whatever haiflow is given, it ends with a code of its contract, in bounded time and memory, and says what is wrong.

``python -m fuzz 20000`` runs inputs 0 to 19999; ``python -m fuzz --only 4711`` runs one and shows what it said. An
input is made by its number alone: the same number is the same input on every machine.
"""
