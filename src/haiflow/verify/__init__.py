"""Cases with known answers, run by ``haiflow verify``: code verification and comparison with published results."""
