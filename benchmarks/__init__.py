"""Speed, measured; figures go into `results/`, dated, with commit, machine and versions."""
