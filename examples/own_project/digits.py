"""An ordinary module and dataset of Lightning: handwritten digits of 8 x 8 pixels. Neither knows of populations."""

import torch
from lightning import LightningDataModule, LightningModule
from sklearn.datasets import load_digits
from torch import nn
from torch.nn.functional import cross_entropy
from torch.utils.data import DataLoader, TensorDataset


class DigitsData(LightningDataModule):
    """1,797 pictures, of which every fifth is held out for validation."""

    def __init__(self, batch_size: int = 64) -> None:
        super().__init__()
        self.batch_size = batch_size

    def setup(self, stage: str) -> None:
        """Split the pictures."""
        pixels, labels = load_digits(return_X_y=True)
        x, y = torch.tensor(pixels / 16, dtype=torch.float32), torch.tensor(labels)
        held_out = torch.arange(len(y)) % 5 == 0
        self.train, self.val = TensorDataset(x[~held_out], y[~held_out]), TensorDataset(x[held_out], y[held_out])

    def train_dataloader(self) -> DataLoader:
        """Return shuffled batches."""
        return DataLoader(self.train, self.batch_size, shuffle=True)

    def val_dataloader(self) -> DataLoader:
        """Return what is held out, at once."""
        return DataLoader(self.val, len(self.val))


class Digits(LightningModule):
    """A network with one hidden layer, trained by Adam."""

    def __init__(self, width: int = 32, learning_rate: float = 1e-3, dropout: float = 0.0) -> None:
        super().__init__()
        self.save_hyperparameters()
        self.network = nn.Sequential(nn.Linear(64, width), nn.ReLU(), nn.Dropout(dropout), nn.Linear(width, 10))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return scores `(n, 10)` of pictures `(n, 64)`."""
        return self.network(x)

    def training_step(self, batch: list[torch.Tensor], _: int) -> torch.Tensor:
        """Return the loss of a batch."""
        x, y = batch
        loss = cross_entropy(self(x), y)
        self.log("train_loss", loss)
        return loss

    def validation_step(self, batch: list[torch.Tensor], _: int) -> None:
        """Log loss and accuracy."""
        x, y = batch
        scores = self(x)
        self.log_dict({"val_loss": cross_entropy(scores, y), "val_acc": (scores.argmax(1) == y).float().mean()})

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Return Adam."""
        return torch.optim.Adam(self.parameters(), self.hparams["learning_rate"])
