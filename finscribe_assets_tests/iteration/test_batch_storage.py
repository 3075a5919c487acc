import pytest
from hypothesis import given
from hypothesis import strategies as st

from finscribe_assets.documents.batch_keys import BATCH_KEY_PATTERN
from finscribe_assets.documents.document_batch import drawn_from, synthesize
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.errors import UserError
from finscribe_assets.iteration.batch_storage import FolderStorage, PlanFiles, PlanInUseError, Stage
from finscribe_assets.shards import LocalShardPool


def drawn(root, key: str = "batch-001", documents: int = 3):
    plan = seed_plan(key, documents, 7)
    PlanFiles(str(root)).write(plan)
    folder = FolderStorage(str(root)).folder(Stage.SYNTHETIC_DOCUMENTS, key)
    synthesize(plan, folder, LocalShardPool(), shard_size=2)
    return plan, folder


@pytest.mark.parametrize("key", ["../../evil", "a/b", "", "batch-1", "batch-001/..", "batch-001\n", "BATCH-001"])
def test_what_is_no_key_of_a_batch_never_becomes_a_path(tmp_path, key):
    for path_of in (lambda: FolderStorage(str(tmp_path)).folder(Stage.EXAM, key), lambda: PlanFiles("x").path(key)):
        with pytest.raises(UserError, match="batch-007"):
            path_of()


@given(st.text())
def test_no_text_leaves_the_storage(key):
    try:
        folder = FolderStorage("root").folder(Stage.EXAM, key)
    except UserError:
        assert not BATCH_KEY_PATTERN.fullmatch(key)
    else:
        assert folder.parent.name == "exam"


def test_a_plan_may_change_until_documents_are_drawn_from_it(tmp_path):
    plans = PlanFiles(str(tmp_path))
    plans.write(seed_plan("batch-001", 3, 7))
    plans.write(seed_plan("batch-001", 4, 7))
    plan, _ = drawn(tmp_path, documents=5)
    assert plans.write(plan) == plans.path("batch-001")  # the same plan again changes nothing
    before = plans.path("batch-001").read_bytes()
    with pytest.raises(PlanInUseError, match="as_new_batch"):
        plans.write(seed_plan("batch-001", 3, 8))
    assert plans.path("batch-001").read_bytes() == before
    other = seed_plan("batch-001", 3, 8)
    assert plans.key_for(plan) == "batch-001"
    assert plans.key_for(other) == "batch-002"
    plans.write(other.model_copy(update={"key": "batch-002"}))
    assert plans.key_for(other) == "batch-002"  # an iteration that is run again adds no batch
    assert plans.key_for(seed_plan("batch-001", 3, 9)) == "batch-003"


def test_documents_name_the_plan_that_they_were_drawn_from(tmp_path):
    plan, folder = drawn(tmp_path)
    assert drawn_from(folder) == {plan.content_hash()}
    other = seed_plan("batch-001", 2, 8)
    synthesize(other, folder, LocalShardPool(), shard_size=2)
    assert drawn_from(folder) == {other.content_hash()}
