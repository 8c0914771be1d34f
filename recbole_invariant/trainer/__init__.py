"""Training in stages: one loop, many stages."""
