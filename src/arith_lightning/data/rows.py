"""Rows of numbers in files: CSV and TSV, arrays of numpy, Parquet; each fault is one sentence that names its place."""

import csv
import zipfile
from collections.abc import Sequence
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from arith_lightning import shipped
from arith_lightning.complaint import nearest, require

Header = bool | Literal["auto"]
Names = str | int | Sequence[str | int] | None
SEPARATORS = {".csv": ",", ".tsv": "\t", ".tab": "\t", ".txt": ","}
SUFFIXES = (*SEPARATORS, ".npy", ".npz", ".parquet")


def number(text: str) -> bool:
    """Return whether a cell reads as a number."""
    try:
        float(text)
    except ValueError:
        return False
    return True


def read(path: str, header: Header, separator: str | None) -> pd.DataFrame:
    """Return the rows of a file, columns by name; without a header they are called c0, c1, ...

    Args:
        path: the file; a relative path is taken from the current folder, then from what comes with the package.
        header: whether the first line names the columns; `auto`: it does if none of its cells is a number.
        separator: what parts cells; None is a comma, or a tab in files that end with .tsv.

    Raises:
        ValueError: there is no such file, or it cannot be read.
    """
    place = shipped.find(path)
    require(place.is_file(), "path must be a file", place.absolute(), "correct it, or change into its folder")
    suffix = place.suffix.lower()
    rule = f"path must end with {', '.join(SUFFIXES)}"
    require(suffix in SUFFIXES, rule, place.name, "save the rows as CSV")
    require(header in (True, False, "auto"), "header must be true, false or auto", header, "try auto")
    try:
        if suffix in SEPARATORS:
            table = _text(place, header, SEPARATORS[suffix] if separator is None else separator)
        elif suffix == ".parquet":
            table = pd.read_parquet(place)
        else:
            table = _arrays(place)
    except ImportError as error:
        raise ValueError(f"Parquet needs a library of its own; got {place.name}; pip install pyarrow") from error
    except (OSError, EOFError, csv.Error, UnicodeError, pd.errors.ParserError, zipfile.BadZipFile) as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"path must be a file that can be read; got {place.name} ({reason}); correct it") from error
    names = [str(name) for name in table.columns]
    twice = sorted({name for name in names if names.count(name) > 1})
    require(not twice, "columns must have names of their own", ", ".join(twice), "rename one of them")
    table.columns = pd.Index(names)
    require(len(table) >= 1, "a file must have rows", f"none in {place.name}", "add some")
    return table


def below(table: pd.DataFrame, other: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a table, then those of another that has its columns."""
    return pd.concat([table, other[table.columns]], ignore_index=True)


def _text(place: Path, header: Header, separator: str) -> pd.DataFrame:
    require(len(separator) == 1, "separator must be one character", repr(separator), "try ','")
    with place.open(encoding="utf-8-sig", newline="") as file:
        first = next((line for line in csv.reader(file, delimiter=separator) if line), None)
    require(first is not None, "a file must have rows", f"none in {place.name}", "add some")
    assert first is not None
    lone = len(first) == 1 and any(mark in first[0] for mark in ";\t|")
    require(not lone, f"cells must be parted by {separator!r}", first[0], "name the separator")
    named = header is True or (header == "auto" and not any(number(cell) for cell in first))
    if named and _lines(place) < 2:
        return pd.DataFrame(columns=first)
    table = pd.read_csv(
        place,
        sep=separator,
        header=None,
        skiprows=1 if named else 0,
        encoding="utf-8-sig",
        skipinitialspace=True,
        low_memory=False,
    )
    rule = "each row must have as many cells as the first line"
    require(table.shape[1] == len(first), rule, f"{table.shape[1]} and {len(first)}", "correct the file, or its header")
    table.columns = pd.Index([cell.strip() for cell in first] if named else [f"c{k}" for k in range(len(first))])
    return table


def _lines(place: Path) -> int:
    """Return the number of lines that hold something, counted up to two."""
    with place.open(encoding="utf-8-sig") as file:
        return sum(1 for _ in islice((line for line in file if line.strip()), 2))


def _arrays(place: Path) -> pd.DataFrame:
    loaded = np.load(place, allow_pickle=False)
    arrays = {"c": loaded} if isinstance(loaded, np.ndarray) else {name: loaded[name] for name in loaded.files}
    columns: dict[str, Any] = {}
    for name, array in arrays.items():
        flat = array.ndim <= 2 and array.ndim >= 1
        require(flat, "arrays must have one axis, or two with rows first", f"{name} of shape {array.shape}", "reshape")
        rows = array[:, None] if array.ndim == 1 else array
        only = array.ndim == 1 and name != "c"
        columns |= {name if only else f"{name}{k}": rows[:, k] for k in range(rows.shape[1])}
    lengths = {len(column) for column in columns.values()}
    require(len(lengths) == 1, "arrays of a file must have as many rows as each other", sorted(lengths), "cut them")
    return pd.DataFrame(columns)


def chosen(given: Names, names: Sequence[str], what: str) -> list[str]:
    """Return the names of columns that are given by name or by position, counted from 0 or from the end.

    Raises:
        ValueError: there is no such column, or one is named twice.
    """
    wanted = [given] if isinstance(given, str | int) else list(given or [])
    found = []
    for key in wanted:
        if isinstance(key, str) and key not in names and key.lstrip("-").isdigit():
            key = int(key)
        rule = f"{what} must name columns: {', '.join(names)}"
        if isinstance(key, int):
            require(-len(names) <= key < len(names), rule, key, f"positions go from 0 to {len(names) - 1}")
            found.append(names[key])
        else:
            require(key in names, rule, key, f"correct it{nearest(key, names)}")
            found.append(key)
    twice = sorted({name for name in found if found.count(name) > 1})
    require(not twice, f"{what} must name a column once", ", ".join(twice), "drop one")
    return found


def numbers(table: pd.DataFrame, names: Sequence[str]) -> np.ndarray:
    """Return columns as numbers in double precision, `(columns, rows)`.

    Raises:
        ValueError: a cell is missing, is not a number, or not finite; with the first of them.
    """
    found = np.empty((len(names), len(table)))
    for k, name in enumerate(names):
        column = table[name]
        missing = column.isna().to_numpy()
        if missing.any():
            where = f"{missing.sum():,} in column {name}, the first in row {missing.argmax() + 1}"
            require(False, "no value may be missing", where, "drop these rows or fill them in")
        try:
            found[k] = pd.to_numeric(column, errors="raise").to_numpy(dtype=np.float64)
        except (ValueError, TypeError):
            read = pd.to_numeric(column, errors="coerce").isna().to_numpy()
            row = int(read.argmax())
            value = f"{str(column.iloc[row])!r} in column {name}, row {row + 1}"
            require(
                False, "inputs and targets must be numbers", value, "drop the column, or give numbers for its words"
            )
        finite = np.isfinite(found[k])
        if not finite.all():
            row = int((~finite).argmax())
            value = f"{found[k][row]} in column {name}, row {row + 1}"
            require(False, "inputs and targets must be finite", value, "drop the row")
    return found


def labels(column: pd.Series) -> tuple[list[str], np.ndarray]:
    """Return the classes of a column in order, numbers by size, and the place of each row's class among them.

    Raises:
        ValueError: one is missing, or all are the same.
    """
    missing = column.isna().to_numpy()
    where = f"{missing.sum():,} in column {column.name}, the first in row {missing.argmax() + 1}"
    require(not missing.any(), "no label may be missing", where, "drop these rows or fill them in")
    kinds, places = np.unique(
        column.to_numpy() if column.dtype.kind in "iufb" else column.astype(str), return_inverse=True
    )
    found = [f"{kind:g}" if kinds.dtype.kind == "f" else str(kind) for kind in kinds]
    require(2 <= len(found) <= 1000, "there must be from 2 to 1,000 classes", len(found), "choose another target")
    return found, places
