"""What a population is worth, in updates a second: beside a plain PyTorch loop, a plain Lightning Trainer and JAX."""
