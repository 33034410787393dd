"""The liver: segments and tumours, each a well-mixed pair of blood and tissue, fed by artery and portal vein."""
