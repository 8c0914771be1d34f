"""How options become a RecBole Config: YAML text, keys, layers and their checks."""
