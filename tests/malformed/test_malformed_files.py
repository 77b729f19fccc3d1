import sys
from pathlib import Path

from feeding import hold, written

from arith_lightning import fit

GOOD = "seeds: 2\nmodel: {class_path: NMU}\ndata: {class_path: SingleModuleTask}\ntrainer: {max_steps: 4}\n"
LAUGHS = "".join(f"a{k}: &a{k} [{', '.join([f'*a{k - 1}' if k else 'x'] * 9)}]\n" for k in range(8))
FILES = {
    "unclosed": GOOD + "settings: [1",
    "tab": GOOD + "model:\n\tx: 1\n",
    "twice": GOOD + "seeds: 3\n",
    "deep twice": GOOD.replace("{max_steps: 4}", "{max_steps: 4, max_steps: 5}"),
    "undefined alias": GOOD + "settings: *x\n",
    "contains itself": GOOD + "settings: &x [*x]\n",
    "laughs": LAUGHS + GOOD,
    "two documents": f"{GOOD}---\n{GOOD}",
    "empty": "",
    "null": "null\n",
    "list": "- 1\n",
    "scalar": "42\n",
    "nested": "[" * 3000 + "]" * 3000,
    "object": 'seeds: !!python/object/apply:os.system ["touch written"]\n',
    "name": "seeds: !!python/name:os.system\n",
    "tag": GOOD.replace("2", "!nix 2", 1),
    "foreign": GOOD.replace("NMU", "foreign.Thing"),
    "no base": GOOD.replace("NMU", "mine.Plain"),
    "function": GOOD.replace("NMU", "mine.plain"),
    "nothing of that name": GOOD.replace("NMU", "mine.Nix"),
    "unknown key": GOOD + "nix: 1\n",
}
BYTES = (GOOD.encode() + b"# \xe9\n", GOOD.encode("utf16"), bytes(1000), bytes(range(256)))


def test_files_of_fit(capsys):
    Path("mine.py").write_text(
        "from pathlib import Path\nPath('written').touch()\nclass Plain: pass\ndef plain(): pass\n"
    )

    def run(name: str) -> int:
        sys.argv[:] = ["fit", "--config", name]
        sys.path.insert(0, "")
        try:
            return fit.main()
        finally:
            sys.path.remove("")

    hold([written(content, run) for content in [*(t.encode() for t in FILES.values()), *BYTES]], capsys, 25)
    hold([written(GOOD.encode(), run, name) for name in ("...yaml", "n" * 240 + ".yaml")], capsys)
