"""Stories of mistakes: a link to nowhere, a run of the future, options that cannot be; each is one sentence."""

from __future__ import annotations

import json

import pytest
from browser.laboratory import Laboratory
from browser.serving import Server
from playwright.sync_api import Page, expect

from clustlab.runs import list_runs, open_run
from clustlab.spec import FORMAT

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("workers_end")]


def only_sentence(page: Page) -> str:
    """The one message on the page; nothing on it is a traceback."""
    alert = page.get_by_test_id("stMain").get_by_test_id("stAlert")
    expect(alert).to_have_count(1)
    assert page.get_by_test_id("stException").count() == 0
    assert "Traceback" not in page.locator("body").inner_text()
    return alert.inner_text()


@pytest.mark.parametrize("name", ["no-such-run", "../../etc", "%2e%2e%2fsecret", "<b>bold</b>"])
def test_a_link_to_an_unknown_run(server: Server, page: Page, name: str) -> None:
    Laboratory(page).visit(f"{server.url}/?run={name}")
    assert "there is no run of this name" in only_sentence(page)


def test_a_link_to_a_run_of_a_newer_format(server: Server, page: Page) -> None:
    folder = server.runs / "from-the-future"
    folder.mkdir(parents=True)
    (folder / "spec.json").write_text(json.dumps({"format": FORMAT + 1, "method": "idec"}))
    Laboratory(page).visit(f"{server.url}/?run=from-the-future")
    sentence = only_sentence(page)
    assert "newer clustlab" in sentence
    assert f"format {FORMAT + 1}" in sentence


def test_an_option_out_of_bounds_cannot_be_entered(server: Server, page: Page) -> None:
    laboratory = Laboratory(page)
    laboratory.visit(server.url)
    before = laboratory.wait_for_link()  # the page writes it once it knows which run it shows
    laboratory.unfold("Network, training, recording")
    laboratory.enter("option-training-epochs", "0")
    field = page.locator(".st-key-option-training-epochs")
    expect(field).to_contain_text("Please enter a value between 1 and 100000")
    laboratory.train()
    run = open_run(server.runs / laboratory.wait_for_link(other_than=before))
    assert run.spec.training.epochs == 200  # what was there before


def test_more_clusters_than_samples(server: Server, page: Page) -> None:
    laboratory = Laboratory(page)
    laboratory.visit(server.url)
    laboratory.choose("form-data", "Three blobs")
    laboratory.enter("form-clusters", "999")
    before = len(list_runs(server.runs))
    laboratory.train()
    alert = page.get_by_test_id("stSidebar").get_by_test_id("stAlert")
    expect(alert).to_contain_text("n_clusters = 999 is too large: Three blobs has 600 samples")
    assert page.get_by_test_id("stException").count() == 0
    assert len(list_runs(server.runs)) == before
