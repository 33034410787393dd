"""The catheter: its line, hydraulics and lumen, from the pump's outlet to the tip and its holes."""
