"""Holds YAML files; a package, so that an editable install finds them too."""
