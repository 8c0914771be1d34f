"""Charts as inline SVG: pure functions from numbers to markup, no files, no libraries."""
