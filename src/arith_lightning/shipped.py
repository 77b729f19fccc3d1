"""Files that come with the package, found by name from any folder: configurations, their data, spaces of searches.

In a checkout they lie in the folders `configs` and `search/spaces` at its top, in an installed package beside the code.
A file of the current folder goes first. Imports nothing that takes time.
"""

from pathlib import Path

from arith_lightning.complaint import nearest, require

INSTALLED = Path(__file__).with_name("files")
ROOT = INSTALLED if INSTALLED.is_dir() else Path(__file__).parents[2]
"""Folder of what comes with the package."""
CONFIGS, SPACES = Path("configs"), Path("search", "spaces")
"""Folders below it, and below a folder that has files of its own in their place."""


def find(path: str | Path) -> Path:
    """Return what is meant by a path: in the current folder, else what comes with the package, else the path itself."""
    place = Path(path).expanduser()
    return place if place.exists() or not (ROOT / place).exists() else ROOT / place


def config(name: str | Path, what: str = "a configuration") -> Path:
    """Return a configuration, given by its path or by its name below `configs`, such as `nmu_mul`.

    Args:
        name: the path or the name.
        what: what it should be, for the complaint.

    Raises:
        ValueError: there is none.
    """
    if Path(name).expanduser().exists():
        return Path(name).expanduser()
    for place in (Path(name), Path(f"{name}.yaml"), CONFIGS / name, CONFIGS / f"{name}.yaml"):
        if find(place).is_file():
            return find(place)
    paths = [path.relative_to(ROOT) for path in (ROOT / CONFIGS).rglob("*.yaml")]
    names = [path.relative_to(CONFIGS).with_suffix("") for path in paths]
    hint = nearest(str(name), [path.as_posix() for path in (*paths, *names)])
    rule = f"{what} must be a file that can be read"
    require(False, rule, f"{name} (No such file or directory){hint}", "check it")
    raise AssertionError("the rule is broken")


def space(name: str) -> Path:
    """Return the file of a space, given by its path or by its name below `search/spaces`, such as `parity`.

    Raises:
        ValueError: there is none.
    """
    path = find(name) if name.endswith(".yaml") else find(SPACES / f"{name}.yaml")
    known = available()
    there = ", ".join(each for each in known if "/" not in each)
    way_out = f"there are {there}, and those of {SPACES.name}/found"
    require(path.is_file(), "a space must be a file", f"'{name}'{nearest(name, known)}", way_out)
    return path


def available() -> list[str]:
    """Return the names of all spaces, those of folders in search/spaces last and with their folder."""
    folder = ROOT / SPACES
    names = (path.relative_to(folder).with_suffix("").as_posix() for path in folder.rglob("*.yaml"))
    return sorted(names, key=lambda name: ("/" in name, name))
