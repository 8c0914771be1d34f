"""Models by seeds on one dataset: planned, run, collected, summarised, written."""
