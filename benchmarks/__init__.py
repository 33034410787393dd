"""Speed and accuracy, asked against reached: ``python -m benchmarks`` prints the table and writes it as JSON."""
