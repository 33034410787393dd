"""The region round the catheter's tip in three dimensions: its shape, its flow, and where the drug goes."""
