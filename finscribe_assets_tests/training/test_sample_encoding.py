import pytest
import torch
from peft import LoraConfig, get_peft_model
from PIL import Image

from finscribe_assets.instructions.pair import Span, SpanType
from finscribe_assets.model.architecture import build_model, build_processor
from finscribe_assets.model.batched_forward import IGNORED_LABEL
from finscribe_assets.model.tokenizer import CHAT_TEMPLATE, build_tokenizer
from finscribe_assets.training.adapter_config import ALL_LINEAR
from finscribe_assets.training.sample_encoding import Encoder, token_weights
from finscribe_assets.training.training_samples import LeftOut, LineImage, TrainingSample
from finscribe_assets.training.weighted_loss import summed_line_loss, summed_loss

PROMPT = "OCR:"
FIRST_VERSION = CHAT_TEMPLATE.replace("\\nAssistant:\\n", "\\nAssistant: ")  # as PaddleOCR-VL 1.0 writes it


@pytest.fixture(scope="module")
def processor():
    return build_processor(build_tokenizer())


def sample(response, widths=(60,), name="s", prompt=PROMPT):
    pictures = tuple(LineImage.of(Image.linear_gradient("L").resize((width, 28))) for width in widths)
    return TrainingSample(name, "batch-000", prompt, response, pictures)


def chat(training_sample):
    """The chat as a user of transformers would write it."""
    images = [{"type": "image", "image": picture.open().convert("RGB")} for picture in training_sample.images]
    return [
        {"role": "user", "content": [*images, {"type": "text", "text": training_sample.prompt}]},
        {"role": "assistant", "content": [{"type": "text", "text": training_sample.response}]},
    ]


@pytest.mark.parametrize("template", [CHAT_TEMPLATE, FIRST_VERSION], ids=["1.5", "1.0"])
@pytest.mark.parametrize(
    "training_sample",
    [
        sample("1.234,56 €"),
        sample("Ärger & Söhne GmbH", (200,)),
        sample('{"a": "b"}', (40, 300), prompt="Read it as JSON."),
        sample(" leading", (28,)),
    ],
    ids=["amount", "name", "two images", "space first"],
)
def test_tokens_are_the_processors_own(template, training_sample):
    processor = build_processor(build_tokenizer())
    processor.chat_template = template
    expected = processor.apply_chat_template(
        [chat(training_sample)], tokenize=True, return_dict=True, return_tensors="pt"
    )
    encoder = Encoder(processor)
    encoded = encoder.encode(training_sample)
    batch = encoder.collate([encoded])
    assert batch["input_ids"].tolist() == expected["input_ids"].tolist()
    assert batch["attention_mask"].tolist() == expected["attention_mask"].tolist()
    assert batch["mm_token_type_ids"].tolist() == expected["mm_token_type_ids"].tolist()
    assert torch.equal(batch["pixel_values"], expected["pixel_values"])
    assert torch.equal(batch["image_grid_thw"], expected["image_grid_thw"])


@pytest.mark.parametrize("template", [CHAT_TEMPLATE, FIRST_VERSION], ids=["1.5", "1.0"])
def test_what_is_learnt_is_what_has_to_be_generated(template):
    processor = build_processor(build_tokenizer())
    processor.chat_template = template
    encoder, training_sample = Encoder(processor), sample("19,00 %")
    batch = encoder.collate([encoder.encode(training_sample), encoder.encode(sample("Rechnung Nr. 77", (90,)))])
    learnt = [[token for token in row if token != IGNORED_LABEL] for row in batch["labels"].tolist()]
    assert processor.tokenizer.batch_decode(learnt) == ["19,00 %</s>", "Rechnung Nr. 77</s>"]
    prompt = processor.apply_chat_template(
        chat(training_sample)[:1], add_generation_prompt=True, tokenize=True, return_dict=True, return_tensors="pt"
    )["input_ids"]
    assert encoder.encode_prompt(PROMPT, [(84, 28)]) == prompt[0].tolist()
    assert list(encoder.encode(training_sample).tokens[: prompt.shape[1]]) == prompt[0].tolist()


def test_a_batch_is_padded_on_the_left_and_labels_match_tokens(processor):
    encoder = Encoder(processor)
    batch = encoder.collate([encoder.encode(sample("1", (28,))), encoder.encode(sample("a longer answer", (280,)))])
    mask, ids, labels = batch["attention_mask"], batch["input_ids"], batch["labels"]
    assert mask[:, -1].tolist() == [1, 1]
    assert (mask.diff(dim=1) >= 0).all()
    assert (ids[mask == 0] == processor.tokenizer.pad_token_id).all()
    learnt = labels != IGNORED_LABEL
    assert (labels[learnt] == ids[learnt]).all()


def test_the_loss_is_the_models_own(processor):
    torch.manual_seed(3)
    model = build_model(processor.tokenizer).eval()
    encoder = Encoder(processor)
    batch = encoder.collate([encoder.encode(sample("9,99", (60,))), encoder.encode(sample("Gesamtbetrag", (130,)))])
    own = model(**batch).loss
    labels = batch.pop("labels")
    summed = summed_loss(model, batch, labels, torch.autocast("cpu", enabled=False))
    assert float(summed.detach() / (labels != IGNORED_LABEL).sum()) == pytest.approx(float(own.detach()), rel=1e-5)


WEIGHTS = {SpanType.FINANCIAL: 3.0, SpanType.STRUCTURE: 0.25}


@pytest.mark.parametrize("weights", [{}, WEIGHTS], ids=["all alike", "weighted"])
def test_lines_lose_together_what_the_models_own_pass_has_them_lose(processor, weights):
    """Lines of several widths and prompts, through adapted layers: the same loss and the same gradients."""
    torch.manual_seed(3)
    adapted = get_peft_model(
        build_model(processor.tokenizer), LoraConfig(r=2, target_modules=ALL_LINEAR, init_lora_weights=False)
    )
    encoder = Encoder(processor, weights)
    amount = TrainingSample("a", "b", PROMPT, "9,99", sample("x").images, (Span(0, 4, SpanType.FINANCIAL),))
    lines = [
        amount,
        sample("Gesamtbetrag", (130,)),
        sample("0", (28,)),
        sample("Total", (130,)),
        sample("1", (130,), prompt="Table Recognition:"),
    ]
    batch = [encoder.encode(training_sample) for training_sample in lines]
    plain = torch.autocast("cpu", enabled=False)
    inputs = encoder.collate(batch)
    labels, by_token = inputs.pop("labels"), inputs.pop("weights", None)
    gradients = []
    for loss in (
        summed_loss(adapted, inputs, labels, plain, by_token),
        summed_line_loss(adapted, encoder, batch, plain, weighted=True),
    ):
        adapted.zero_grad()
        loss.backward()
        gradients.append(
            (
                float(loss.detach()),
                {name: weight.grad.clone() for name, weight in adapted.named_parameters() if weight.requires_grad},
            )
        )
    assert gradients[0][0] == pytest.approx(gradients[1][0], rel=1e-5)
    for name, gradient in gradients[0][1].items():
        assert torch.allclose(gradient, gradients[1][1][name], rtol=1e-3, atol=1e-3 * float(gradient.abs().max())), name


def test_a_token_weighs_what_its_part_of_the_answer_does():
    #          {"a": 1.50, "b": "x"}
    spans = [
        Span(0, 6, SpanType.STRUCTURE),
        Span(6, 10, SpanType.FINANCIAL, "a"),
        Span(10, 18, SpanType.STRUCTURE),
        Span(18, 19, SpanType.VALUE, "b"),
        Span(19, 21, SpanType.STRUCTURE),
    ]
    offsets = [(0, 5), (5, 8), (8, 12), (12, 18), (18, 19), (19, 21), (21, 25)]
    assert token_weights(offsets, spans, WEIGHTS) == (0.25, 3.0, 3.0, 0.25, 1.0, 0.25, 1.0)


@pytest.mark.parametrize("template", [CHAT_TEMPLATE, FIRST_VERSION], ids=["1.5", "1.0"])
def test_the_weighted_loss_is_the_one_computed_by_hand(template):
    torch.manual_seed(3)
    processor = build_processor(build_tokenizer())
    processor.chat_template = template
    model = build_model(processor.tokenizer).eval()
    encoder = Encoder(processor, WEIGHTS)
    amount = TrainingSample(
        "a",
        "b",
        PROMPT,
        "EUR 9,99",
        sample("x").images,
        (Span(0, 4, SpanType.STRUCTURE), Span(4, 8, SpanType.FINANCIAL)),
    )
    batch = encoder.collate([encoder.encode(amount), encoder.encode(sample("Gesamtbetrag", (130,)))])
    labels, weights = batch.pop("labels"), batch.pop("weights")
    found = summed_loss(model, batch, labels, torch.autocast("cpu", enabled=False), weights).detach()

    # Token by token from the model's own logits. This tokenizer has a token a character, so the weights are counted.
    logits = model(**batch).logits.detach().log_softmax(-1)
    wanted = {"EUR 9,99": [0.25] * 4 + [3.0] * 4 + [1.0], "Gesamtbetrag": [1.0] * 13}
    by_hand = total = 0.0
    for row, (response, weighed) in enumerate(wanted.items()):
        answer = [*processor.tokenizer(response, add_special_tokens=False).input_ids, processor.tokenizer.eos_token_id]
        for place, (token, weight) in enumerate(zip(answer, weighed, strict=True)):
            by_hand -= weight * float(logits[row, -len(answer) - 1 + place, token])
            total += weight
    assert float(found) == pytest.approx(by_hand, rel=1e-5)
    assert float(weights.sum()) == total


def test_samples_that_cannot_be_learnt_are_counted_by_reason(processor):
    left_out = LeftOut()
    flat = TrainingSample("flat", "batch-000", PROMPT, "x", (LineImage(bytes(28 * 5628), 5628),))
    given_samples = [
        sample("fine", name="fine"),
        sample("", name="empty"),
        sample("漢字", name="unknown"),
        sample("x" * 400, name="long"),
        flat,
    ]
    fitting = Encoder(processor).encode_all(given_samples, 300, left_out)
    assert [training_sample.sample.id for training_sample in fitting] == ["fine"]
    assert left_out.examples == {
        "empty answer": ["empty"],
        "characters that the tokenizer does not have": ["unknown"],
        "too many tokens": ["long"],
        "image more than 200 times as long as wide": ["flat"],
    }
    assert left_out.counts.total() == 4


def test_an_image_token_in_a_prompt_is_refused(processor):
    with pytest.raises(ValueError, match="1 images, but 2 image tokens"):
        Encoder(processor).encode_prompt(f"{processor.image_token} OCR:", [(28, 28)])


def test_a_template_that_never_ends_an_answer_is_refused():
    processor = build_processor(build_tokenizer())
    processor.chat_template = CHAT_TEMPLATE.replace("{{- '</s>' -}}", "")
    with pytest.raises(ValueError, match="would never stop"):
        Encoder(processor).encode(sample("1"))
