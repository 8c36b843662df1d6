"""The web application: the pages and the routes that feed them; start it with ``streamlit run app.py``."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import streamlit as st

import clustlab.app
from clustlab.app.routes import routes
from clustlab.projections import service


@asynccontextmanager
async def lifespan(_: st.App) -> AsyncIterator[None]:
    """Let the projectors compile before the first map is asked for, and end them with the server."""
    service.prewarm("pca")
    service.prewarm("umap")
    yield
    service.shut_down()


# The script lies among the pages: beside a folder of this name, Streamlit would take every file there for a page.
script = Path(clustlab.app.__file__).parent / "pages" / "main.py"
app = st.App(script, routes=routes(), lifespan=lifespan)
