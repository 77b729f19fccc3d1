"""One page, twice: Markdown with pictures beside it, and HTML that holds everything."""

import base64
import re
from pathlib import Path

import markdown

from arith_lightning.runs import write

STYLE = """body{max-width:60em;margin:2em auto;padding:0 1em;font:16px/1.5 system-ui,sans-serif;color:#222}
table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.25em .6em;text-align:left}
img{max-width:100%}pre{background:#f5f5f5;padding:.8em;overflow-x:auto}"""


def publish(title: str, text: str, folder: Path) -> None:
    """Write `index.md` and `index.html` into `folder`; pictures are named relative to it."""
    write(folder / "index.md", f"# {title}\n\n{text}\n")
    body = markdown.markdown(f"# {title}\n\n{text}", extensions=["tables", "fenced_code", "toc"])

    def embed(match: re.Match[str]) -> str:
        data = base64.b64encode((folder / match[1]).read_bytes()).decode()
        return f'src="data:image/png;base64,{data}"'

    body = re.sub(r'src="([^"]+\.png)"', embed, body)
    head = f'<meta charset="utf-8"><title>{title}</title><style>{STYLE}</style>'
    write(folder / "index.html", f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>\n')
