"""Requests for a model that reads single printed lines: cut images into lines, and join the lines' texts.

What belongs here: what every reader of such a model does around the model, so that a server is asked about the same
pixels as the model in this process. Finding the lines is in `model.line_finding`, scaling them in `model.line_images`.
"""

from __future__ import annotations

from collections.abc import Sequence

from PIL import Image

from finscribe_assets.errors import UserError
from finscribe_assets.inference.image_reader import ReadRequest
from finscribe_assets.instructions.pair import TABLE_PROMPT
from finscribe_assets.model.decoded_text import DecodedText, joint_probabilities
from finscribe_assets.model.line_finding import find_lines
from finscribe_assets.model.line_images import fit_line
from finscribe_assets.model.table_assembly import assemble_table


def cut_lines(request: ReadRequest) -> list[Image.Image]:
    """Return the printed lines of a request's image, scaled for a model that reads lines.

    Args:
        request: One image: a line, or a block or table of any number of lines.

    Returns:
        Grey images, 28 pixels high.

    Raises:
        UserError: The request has no image, or several.
    """
    if len(request.images) != 1:
        raise UserError(
            f"{len(request.images)} images in one request, but this base reads one printed line at a time; "
            "give it one image, or use a base that reads pages"
        )
    image = request.images[0]
    lines = find_lines(image).images() if _has_several_lines(request) else [image]
    return [fit_line(line) for line in lines]


def join_lines(request: ReadRequest, lines: Sequence[DecodedText]) -> DecodedText:
    """Join the texts of a request's lines, to OTSL for a table; the tokens are those of all lines in order.

    Args:
        request: The request that `cut_lines` has cut.
        lines: What was read of each line.
    """
    if not _has_several_lines(request):
        (line,) = lines
        return line
    texts = [line.text for line in lines]
    text = assemble_table(texts) if request.prompt == TABLE_PROMPT else "\n".join(texts)
    return DecodedText(
        text,
        tuple(token for line in lines for token in line.tokens),
        joint_probabilities(lines),
        any(line.truncated for line in lines),
    )


def _has_several_lines(request: ReadRequest) -> bool:
    return request.is_block or request.prompt == TABLE_PROMPT
