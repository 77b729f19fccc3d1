"""Can a neural network learn arithmetic? Populations of seeds and settings answer with rates."""

__version__ = "0.1.0"
