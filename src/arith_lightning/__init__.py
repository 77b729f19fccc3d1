"""Can a neural network learn arithmetic? Populations of seeds and settings answer with rates."""

import os
from pathlib import Path

CACHE = Path(os.environ.get("XDG_CACHE_HOME", Path.home() / ".cache")) / "arith_lightning" / "compiled"
"""Where compiled steps are kept; here, because torch decides when its compiler is first imported."""
os.environ.setdefault("TORCHINDUCTOR_CACHE_DIR", str(CACHE))

__version__ = "0.1.0"
