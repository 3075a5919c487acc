"""Which files of a folder belong to one document, and what is wrong with them as a set."""

from __future__ import annotations

import pytest

from finscribe_assets.importing.source_files import find_documents


def documents(folder, *names):
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).touch()
    return {document.name: document for document in find_documents(folder).documents}


@pytest.mark.parametrize(
    ("names", "pages", "truth"),
    [
        (["a.pdf"], ["a.pdf"], None),
        (["a.PDF", "a.xml"], ["a.PDF"], "a.xml"),
        (["a.tiff", "a.json"], ["a.tiff"], "a.json"),
        (["a-1.png", "a-2.jpg", "a-10.png", "a.json"], ["a-1.png", "a-2.jpg", "a-10.png"], "a.json"),
        (["a-0.png", "a-1.png", "a.json"], ["a-0.png", "a-1.png"], "a.json"),
    ],
)
def test_files_belong_together_by_their_names(tmp_path, names, pages, truth):
    (document,) = documents(tmp_path, *names).values()
    assert (document.name, document.pages, document.truth) == ("a", pages, truth)
    assert document.files == sorted(names)


def test_a_number_in_a_name_is_not_a_page_number_without_ground_truth_for_the_rest(tmp_path):
    found = documents(tmp_path, "scan-1.png", "scan-1.json", "2024/scan-2.png", "2024/scan-2.json")
    assert {name: (document.pages, document.problems) for name, document in found.items()} == {
        "scan-1": (["scan-1.png"], []),
        "2024/scan-2": (["2024/scan-2.png"], []),
    }


@pytest.mark.parametrize(
    ("names", "problem"),
    [
        (["a.json"], "ground truth without pages: add a PDF or images with its name"),
        (["a.png"], "no ground truth: add a JSON or XML file with their name"),
        (["a.pdf", "a.json", "a.xml"], "several files with ground truth, a.json and a.xml; keep one"),
        (["a.pdf", "a.png", "a.json"], "its pages are there in several forms, a.pdf, a.png; keep one"),
        (["a.pdf", "a-1.png", "a.json"], "its pages are there in several forms, a.pdf, a-1.png; keep one"),
        (["a-1.png", "a-3.png", "a.json"], "its pages are not numbered consecutively; a page may be missing"),
        (["a-1.png", "a-1.jpg", "a.json"], "its pages are not numbered consecutively; a page may be missing"),
        (["a-2.png", "a-3.png", "a.json"], "its first page has the number 2; number pages from 0 or 1"),
    ],
)
def test_an_unclear_set_of_files_is_a_problem(tmp_path, names, problem):
    (document,) = documents(tmp_path, *names).values()
    assert [item.reason for item in document.problems] == [problem]
