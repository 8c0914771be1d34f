"""Where the environment labels of the interactions come from."""
