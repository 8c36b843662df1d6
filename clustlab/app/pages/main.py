"""What ``app.py`` runs for every viewer: the list of pages and what stands on all of them."""

import streamlit as st

from clustlab.app import sheets
from clustlab.app.pages import benchmarks, compare, data, laboratory, lessons, methods, runs
from clustlab.app.state import Session
from clustlab.data.assets import assets_folder

st.set_page_config(
    page_title="clustlab", page_icon=str(assets_folder() / "logo.svg"), layout="wide", initial_sidebar_state="auto"
)
sheets.apply()
st.logo(str(assets_folder() / "logo.svg"), size="large")
home = st.Page(laboratory.page, title="Laboratory", icon=":material/science:", url_path="laboratory", default=True)
side_by_side = st.Page(compare.page, title="Compare", icon=":material/compare:", url_path="compare")
st.session_state[Session.LABORATORY] = home  # other pages lead back here
st.session_state[Session.COMPARE] = side_by_side
st.navigation(
    [
        home,
        st.Page(runs.page, title="Runs", icon=":material/inventory_2:", url_path="runs"),
        side_by_side,
        st.Page(lessons.page, title="Lessons", icon=":material/school:", url_path="lessons"),
        st.Page(methods.page, title="Methods", icon=":material/menu_book:", url_path="methods"),
        st.Page(data.page, title="Data", icon=":material/database:", url_path="data"),
        st.Page(benchmarks.page, title="Benchmarks", icon=":material/leaderboard:", url_path="benchmarks"),
    ],
    position="top",
).run()
