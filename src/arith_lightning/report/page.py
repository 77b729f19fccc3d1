"""One page, twice: Markdown with pictures beside it, and HTML that holds everything.

A page may tell what files say that somebody else wrote. In the HTML no tag of the text is one, links lead to the web or
to files nearby, and pictures come from the page's own folder.
"""

import base64
import html
import re
from pathlib import Path
from xml.etree.ElementTree import Element

import markdown
from markdown.treeprocessors import Treeprocessor

from arith_lightning.runs import write

STYLE = """body{max-width:60em;margin:2em auto;padding:0 1em;font:16px/1.5 system-ui,sans-serif;color:#222}
table{border-collapse:collapse}td,th{border:1px solid #ccc;padding:.25em .6em;text-align:left}
img{max-width:100%}pre{background:#f5f5f5;padding:.8em;overflow-x:auto}"""
HARMLESS = re.compile(r"https?://[^\x00-\x20]*|[^:\x00-\x20]*")
"""Links that pass: to the web, or without a scheme, which leads to a heading or a file nearby."""


def publish(title: str, text: str, folder: Path) -> None:
    """Write `index.md` and `index.html` into `folder`; pictures are named relative to it.

    Raises:
        ValueError: a picture is not a PNG file inside the folder.
    """
    whole = f"# {plain(title)}\n\n{text}"
    write(folder / "index.md", f"{whole}\n")
    head = f'<meta charset="utf-8"><title>{html.escape(title)}</title><style>{STYLE}</style>'
    body = as_html(whole, folder)
    write(folder / "index.html", f'<!doctype html><html lang="en"><head>{head}</head><body>{body}</body></html>\n')


def plain(text: str) -> str:
    """Return Markdown, fit for a cell of a table, that shows some text as it is, on one line."""
    line = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    return re.sub(r"[\\`|]|\](?=[(\[:])", r"\\\g<0>", line)


def as_html(text: str, folder: Path) -> str:
    """Return a page's Markdown as HTML with the pictures of `folder` in it."""
    page = markdown.Markdown(extensions=["tables", "fenced_code", "toc"])
    page.preprocessors.deregister("html_block")
    page.inlinePatterns.deregister("html")
    page.treeprocessors.register(Enclosed(page, folder), "enclosed", -1)  # last, when every link is in its final form
    return page.convert(text)


class Enclosed(Treeprocessor):
    """Takes the address out of links that could run something, and puts pictures into the page.

    Args:
        page: the converter.
        folder: where pictures may come from.
    """

    def __init__(self, page: markdown.Markdown, folder: Path) -> None:
        super().__init__(page)
        self.folder = folder.resolve()

    def run(self, root: Element) -> None:
        """Change the page's elements."""
        for link in root.iter("a"):
            if not HARMLESS.fullmatch(html.unescape(link.get("href", ""))):
                del link.attrib["href"]
        for picture in root.iter("img"):
            picture.set("src", f"data:image/png;base64,{self.picture(html.unescape(picture.get('src', '')))}")

    def picture(self, name: str) -> str:
        """Return a file of the page's folder in base64."""
        path = (self.folder / name).resolve()
        if not (path.is_relative_to(self.folder) and path.suffix == ".png" and path.is_file()):
            raise ValueError(f"a page's pictures must be PNG files in its folder; got {name}; copy it to {self.folder}")
        return base64.b64encode(path.read_bytes()).decode()
