"""Turn rendered pages into instruction pairs: an image region, a prompt and the expected response.

What belongs here: the tasks and their prompt wordings, the text formats of responses (JSON, OTSL) and the images of
pairs. What does not: drawing documents and pages (`documents`, `rendering`), the file formats that other trainers load
(`exporting`) and the encoding of pairs into tokens (`training`).
"""
