"""Stories of the lessons page: a lesson opens on a recorded run, its answers are tried, and its form is filled."""

from __future__ import annotations

import pytest
from browser.laboratory import Laboratory, settled
from browser.serving import Server
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser


def test_a_lesson_is_read_tried_and_trained(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/lessons?lesson=q-and-p")
    page.get_by_role("heading", name="Q against P").wait_for()
    laboratory = Laboratory(page)  # the same map, explanations and time line
    assert laboratory.wait_for_frame(23) == 23
    laboratory.wait_for_points("dec-digits")
    laboratory.wait_for_figure("p-and-q", 23)

    page.get_by_role("button", name="Show the confidence at the end").click()
    settled(page)
    assert laboratory.wait_for_frame(28) == 28
    laboratory.wait_for_figure("confidence", 28)
    page.get_by_role("button", name="Back to the beginning").click()
    settled(page)
    laboratory.wait_for_figure("p-and-q", 23)
    expect(page.get_by_text("being sure is not being right")).to_be_hidden()
    page.locator("summary").filter(has_text="The answer").first.click()
    expect(page.get_by_text("being sure is not being right")).to_be_visible()

    page.get_by_role("button", name="2. Clusters with a shape").click()
    page.get_by_role("heading", name="Clusters with a shape").wait_for()
    expect(page).to_have_url(f"{server.url}/lessons?lesson=mixtures")
    page.get_by_role("button", name="Fill the form with diagonal covariances").click()
    page.get_by_role("button", name="Train", exact=True).wait_for()
    settled(page)
    expect(page.locator(".st-key-form-method input")).to_have_value("Mixture of Gaussians")
    expect(page.locator(".st-key-form-data input")).to_have_value("Four stripes")


def test_what_a_lesson_shows_is_opened_in_the_laboratory(server: Server, page: Page) -> None:
    page.goto(f"{server.url}/lessons?lesson=critic")
    page.get_by_role("button", name="Open it in the laboratory").click()
    laboratory = Laboratory(page)
    laboratory.wait_for_points("idec-acai-digits")
    laboratory.wait_for_figure("interpolation", 29)
    assert laboratory.run == "idec-acai-digits"
