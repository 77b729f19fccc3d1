"""Colors that people with any color vision tell apart (Okabe and Ito)."""

COLORS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999999")
BLUE, ORANGE, GRAY = COLORS[0], COLORS[1], COLORS[7]
