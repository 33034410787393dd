"""What a scenario may say, part by part: frozen models whose values are SI once read."""
