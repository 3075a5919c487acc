from hypothesis import given
from hypothesis import strategies as st

from finscribe_assets.documents.generator import draw_document
from finscribe_assets.documents.plan import seed_plan
from finscribe_assets.model.tokenizer import (
    IMAGE_TOKEN,
    NO_BREAK_SPACES,
    SPECIAL_TOKENS,
    TOKENIZER_CHARACTERS,
    WHOLE_PIECES,
    build_tokenizer,
)
from finscribe_assets.pretraining.line_cutting import with_plain_spaces
from finscribe_assets_tests.recipes import FREQUENT_RECIPE

TOKENIZER = build_tokenizer()


def _tokens(text: str) -> list[int]:
    return list(TOKENIZER(text, add_special_tokens=False).input_ids)


def test_every_text_and_label_of_documents_comes_back():
    plan = seed_plan("batch-000", 150, 5, FREQUENT_RECIPE)
    drawn = [draw_document(plan, index) for index in range(150)]
    texts = {
        text for document in drawn for text in (*document.printed.values(), *document.presentation.labels.values())
    }
    assert {document.document.locale for document in drawn} == set(FREQUENT_RECIPE.locales)
    assert any(space in text for text in texts for space in NO_BREAK_SPACES), "French and German prices have them"
    for text in texts:
        tokens = _tokens(text)
        assert TOKENIZER.unk_token_id not in tokens, text
        assert TOKENIZER.decode(tokens) == with_plain_spaces(text)


@given(st.text(TOKENIZER_CHARACTERS, max_size=60))
def test_any_text_of_known_characters_comes_back(text):
    assert TOKENIZER.decode(_tokens(text)) == text


def test_pieces_and_special_tokens_are_one_token_each_and_none_is_doubled():
    for piece in WHOLE_PIECES + SPECIAL_TOKENS:
        assert len(_tokens(piece)) == 1, piece
    assert len(set(TOKENIZER_CHARACTERS)) == len(TOKENIZER_CHARACTERS)
    assert sorted(TOKENIZER.get_vocab().values()) == list(range(len(TOKENIZER)))


def test_table_tokens_survive_decoding_where_special_tokens_are_skipped():
    text = "<fcel>Menge<lcel><nl>"
    answer = [*_tokens(text), TOKENIZER.eos_token_id, TOKENIZER.pad_token_id]
    assert TOKENIZER.decode(answer, skip_special_tokens=True) == text


def test_the_image_placeholder_is_known_by_name():
    assert TOKENIZER.image_token == IMAGE_TOKEN
