"""`tune`: a search over options that selects on validation, survives being killed, and scales."""
