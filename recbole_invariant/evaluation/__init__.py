"""Named test sets, their measurement and what a run leaves behind."""
