"""Networks of other programs, read into scenarios: one reader a file, one neutral network between them and the YAML."""
