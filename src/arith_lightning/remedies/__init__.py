"""What makes a configuration train: changes tried on the same seeds, the best of them measured on fresh ones."""
