"""Stories of the runs page: runs are listed, opened, downloaded, read in again, and deleted after a question."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from browser.laboratory import Laboratory, settled, until
from browser.serving import Server
from playwright.sync_api import Locator, Page, expect

from clustlab.runs import Run, list_runs, open_run

pytestmark = [pytest.mark.browser, pytest.mark.usefixtures("workers_end")]


@pytest.fixture
def run(finished_run: Run, server: Server) -> Iterator[Run]:
    """A finished run of the test's own."""
    path = server.runs / f"{finished_run.name}-copy"
    shutil.copytree(finished_run.folder.path, path)
    yield open_run(path)
    shutil.rmtree(path, ignore_errors=True)


def row(page: Page, run: Run) -> Locator:
    """The row of a run; told by its button, whose key holds the run's name."""
    return page.get_by_test_id("stHorizontalBlock").filter(has=page.locator(f".st-key-open-{run.name}")).first


def visit(page: Page, address: str) -> None:
    page.goto(f"{address}/runs")
    page.get_by_role("heading", name="Runs").wait_for()
    settled(page)


def upload(page: Page, path: Path) -> None:
    page.locator("summary").filter(has_text="Open a run made elsewhere").click()
    page.locator("input[type=file]").set_input_files(path)
    page.get_by_role("button", name="Open it", exact=True).click()


def test_a_run_is_listed_and_opens_by_its_button(server: Server, page: Page, run: Run) -> None:
    visit(page, server.url)
    expect(row(page, run)).to_contain_text("finished")
    expect(row(page, run)).to_contain_text(f"ACC {run.metrics['acc']:.3f}")
    expect(row(page, run)).to_contain_text(str(len(run.frames)))
    page.locator(f".st-key-open-{run.name} button:visible").click()
    laboratory = Laboratory(page)
    laboratory.wait_for_points(run.name)
    assert laboratory.run == run.name
    expect(laboratory.state).to_have_text("finished")
    assert laboratory.wait_for_frame(len(run.frames) - 1) == len(run.frames) - 1


def test_a_run_is_deleted_only_after_the_yes(server: Server, page: Page, run: Run) -> None:
    visit(page, server.url)
    page.locator(f".st-key-delete-{run.name} button:visible").click()
    question = page.get_by_role("dialog")
    expect(question).to_contain_text("gone for good")
    assert run.folder.path.is_dir()
    question.get_by_role("button", name="Keep it").click()
    expect(question).to_be_hidden()
    assert run.folder.path.is_dir()
    page.locator(f".st-key-delete-{run.name} button:visible").click()
    question.get_by_role("button", name="Delete").click()
    expect(page.locator(f".st-key-delete-{run.name}")).to_have_count(0)
    until(lambda: not run.folder.path.exists())
    page.locator(".st-key-undo-delete button:visible").click()
    expect(page.locator(f".st-key-delete-{run.name}")).to_have_count(1)
    assert run.folder.path.is_dir()


def test_a_run_is_downloaded_and_opened_again(server: Server, page: Page, run: Run, tmp_path: Path) -> None:
    visit(page, server.url)
    with page.expect_download() as download:
        page.locator(f".st-key-zip-{run.name} button:visible").click()
    path = tmp_path / download.value.suggested_filename
    download.value.save_as(path)
    assert path.name == f"{run.name}.zip"
    with zipfile.ZipFile(path) as archive:
        assert archive.testzip() is None
        assert f"{run.name}/spec.json" in archive.namelist()

    before = {other.name for other in list_runs(server.runs)}
    upload(page, path)
    expect(page.get_by_test_id("stAlert")).to_contain_text("Opened as")
    (name,) = {other.name for other in list_runs(server.runs)} - before
    second = open_run(server.runs / name)
    expect(row(page, second)).to_contain_text("finished")
    page.locator(f".st-key-open-{name} button:visible").click()
    laboratory = Laboratory(page)
    laboratory.wait_for_points(name)
    assert len(second.frames) == len(run.frames)
    shutil.rmtree(second.folder.path)


@pytest.mark.parametrize("kind", ["cut off", "foreign", "no zip"])
def test_an_archive_that_is_no_run_is_refused_in_one_sentence(
    server: Server, page: Page, run: Run, tmp_path: Path, kind: str, archive_of: Callable[[Run], bytes]
) -> None:
    path = tmp_path / "given.zip"
    whole = archive_of(run)
    path.write_bytes({"cut off": whole[: len(whole) // 2], "no zip": b"no archive at all"}.get(kind, b""))
    if kind == "foreign":
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("holiday/beach.txt", "sand")
    before = sorted(path.name for path in server.runs.iterdir())
    visit(page, server.url)
    upload(page, path)
    sentence = page.get_by_test_id("stAlert").get_by_test_id("stMarkdownContainer").last
    expect(sentence).to_contain_text("archive")
    assert "\n" not in sentence.inner_text().strip()
    assert "Traceback" not in page.locator("body").inner_text()
    assert page.get_by_test_id("stException").count() == 0
    assert sorted(path.name for path in server.runs.iterdir()) == before


@pytest.fixture
def archive_of() -> Callable[[Run], bytes]:
    from clustlab.app.components.take_home import archive_of

    return lambda run: archive_of(run)()
