"""What ``app.py`` runs for every viewer: the list of pages and what stands on all of them."""

import streamlit as st

from clustlab.app import sheets
from clustlab.app.pages import laboratory, methods, runs
from clustlab.app.state import Session
from clustlab.data.assets import assets_folder

st.set_page_config(
    page_title="clustlab", page_icon=str(assets_folder() / "logo.svg"), layout="wide", initial_sidebar_state="auto"
)
sheets.apply()
st.logo(str(assets_folder() / "logo.svg"), size="large")
home = st.Page(laboratory.page, title="Laboratory", icon=":material/science:", url_path="laboratory", default=True)
st.session_state[Session.LABORATORY] = home  # other pages lead back here
st.navigation(
    [
        home,
        st.Page(runs.page, title="Runs", icon=":material/inventory_2:", url_path="runs"),
        st.Page(methods.page, title="Methods", icon=":material/menu_book:", url_path="methods"),
    ],
    position="top",
).run()
