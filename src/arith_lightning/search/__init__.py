"""Studies over populations: what may vary, who proposes, what a trial is worth, and what came out."""
