"""What the camera of a telephone sees: pictures of labels, as a video that a browser takes for its camera."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO
from pathlib import Path

from PIL import Image

from barcodes.label import Label, render

WIDTH, HEIGHT = 1280, 720
RATE = 10  # frames a second


def frame(*numbers: str) -> bytes:
    """Return one picture of labels beside each other on a table, as YUV 4:2:0."""
    table = Image.new("L", (WIDTH, HEIGHT), 150)
    for place, number in enumerate(numbers):
        drawn = render(Label(number=number, district="Ақсу", service="Test"), fmt="png", dpi=300)
        label = Image.open(BytesIO(drawn)).convert("L").resize((600, 414))
        table.paste(label, (30 + place * 620, 150))
    grey = bytes([128]) * (WIDTH * HEIGHT // 4)
    return table.tobytes() + grey + grey


def film(path: Path, shots: Sequence[bytes]) -> Path:
    """Write frames as a video, and return where it is; the browser shows it over and over."""
    with path.open("wb") as file:
        file.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{RATE}:1 Ip A1:1 C420jpeg\n".encode())
        for shot in shots:
            file.write(b"FRAME\n" + shot)
    return path


def camera_flags(video: Path) -> tuple[str, ...]:
    """Return what makes a browser take the video for its camera, and allow it without a question."""
    return (
        "--use-fake-device-for-media-stream",
        "--use-fake-ui-for-media-stream",
        f"--use-file-for-fake-video-capture={video}",
    )
