"""Which samples an epoch has, and how they form batches."""

from collections import Counter
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from finscribe_assets.training.epoch_order import batches_of_epoch, samples_of_epoch
from finscribe_assets.training.training_samples import REAL_BATCH


@settings(max_examples=60)
@given(st.lists(st.integers(1, 200), min_size=1, max_size=80), st.integers(1, 9), st.integers(0, 5), st.integers(0, 3))
def test_an_epoch_holds_every_sample_once_in_batches_of_like_length(lengths, size, seed, epoch):
    batches = batches_of_epoch(lengths, size, seed, epoch)
    assert Counter(place for batch in batches for place in batch) == Counter(range(len(lengths)))
    assert sorted(map(len, batches), reverse=True)[:-1] == [size] * (len(batches) - 1)
    spans = sorted((min(found), max(found)) for found in ([lengths[place] for place in batch] for batch in batches))
    assert all(first[1] <= second[0] for first, second in pairwise(spans))
    assert batches == batches_of_epoch(lengths, size, seed, epoch)


def test_the_order_changes_with_seed_and_epoch():
    orders = [batches_of_epoch([5] * 60, 4, seed, epoch) for seed in (0, 1) for epoch in (0, 1)]
    assert len({str(order) for order in orders}) == 4


def test_replay_draws_its_share_of_earlier_batches_anew_each_epoch():
    batches = ["batch-000"] * 50 + ["batch-001"] * 30 + ["batch-002"] * 40
    for share, earlier in ((None, 80), (0.0, 0), (0.5, 40), (0.9, 80)):
        chosen = samples_of_epoch(batches, share, seed=1, epoch=0)
        assert sum(batches[place] != "batch-002" for place in chosen) == earlier
        assert sum(batches[place] == "batch-002" for place in chosen) == 40
        assert len(set(chosen)) == len(chosen)
    assert samples_of_epoch(batches, 0.5, 1, 0) == samples_of_epoch(batches, 0.5, 1, 0)
    assert samples_of_epoch(batches, 0.5, 1, 0) != samples_of_epoch(batches, 0.5, 1, 1)


def test_real_samples_are_repeated_evenly_until_they_have_their_share():
    batches = ["batch-000"] * 60 + [REAL_BATCH] * 7 + ["batch-001"] * 30
    for share, replay, synthetic, real in ((0.25, None, 90, 30), (0.5, 0.5, 60, 60), (0.0, None, 90, 0)):
        chosen = samples_of_epoch(batches, replay, seed=1, epoch=0, real_share=share)
        counts = Counter(index for index in chosen if batches[index] == REAL_BATCH)
        assert (len(chosen) - counts.total(), counts.total()) == (synthetic, real)
        assert real == 0 or (len(counts) == 7 and max(counts.values()) - min(counts.values()) <= 1)
        assert chosen == samples_of_epoch(batches, replay, 1, 0, share)
