"""Pure tensor functions: no model, no loop, no state."""
