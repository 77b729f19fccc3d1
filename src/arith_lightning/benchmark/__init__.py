"""Benchmarks: published tables re-measured (`table`), and what a population is worth in updates a second (`speed`)."""
