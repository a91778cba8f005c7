"""
Compile the pages of the console into modules, for a layer that is being built. The layer's Makefile calls this program.

    PYTHONHASHSEED=0 PYTHONPATH=what/the/package/needs:the/layer/python python3.13 compile_pages.py

The modules are written beside the pages of the package that is found. `dunning/console/render.py` imports them.
"""

from jinja2 import FileSystemLoader

from dunning.console.render import COMPILED_PAGES, PAGES, new_environment


def main() -> None:
    """
    Write all modules.

    Raises:
        TemplateSyntaxError: something in a page is wrong.
    """
    new_environment(FileSystemLoader(PAGES)).compile_templates(COMPILED_PAGES, zip=None, ignore_errors=False)


if __name__ == "__main__":
    main()
