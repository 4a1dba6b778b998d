"""The networks of keras.applications by name: their class, how they want RGB prepared, and the least side they take."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Preparation = Literal["as_they_are", "signed", "standard", "centred_bgr"]


@dataclass(frozen=True)
class Published:
    """A network of keras.applications; a test compares this table with Keras, which is not loaded to read a YAML.

    prepared: how RGB values 0..255 are given to it; "as_they_are" where the network holds the preparation itself.
    least: the smallest side in pixels, a multiple of 32, that its body has room for. any_width: whether it takes alpha.
    made_at: the side in pixels that Keras has to be told, where what it builds for any side lacks layers.
    """

    maker: str
    prepared: Preparation
    least: int = 32
    any_width: bool = False
    made_at: int | None = None


def _family(
    prepared: Preparation,
    makers: Mapping[str, str],
    *,
    least: int = 32,
    any_width: bool = False,
    made_at: int | None = None,
) -> dict[str, Published]:
    return {name: Published(maker, prepared, least, any_width, made_at) for name, maker in makers.items()}


NETWORKS: Mapping[str, Published] = (
    _family("centred_bgr", {"vgg16": "VGG16", "vgg19": "VGG19"})
    | _family("centred_bgr", {f"resnet{depth}": f"ResNet{depth}" for depth in (50, 101, 152)})
    | _family("signed", {f"resnet{depth}_v2": f"ResNet{depth}V2" for depth in (50, 101, 152)})
    | _family("signed", {"mobilenet": "MobileNet", "mobilenet_v2": "MobileNetV2"}, any_width=True)
    | _family(
        "as_they_are",
        {"mobilenet_v3_small": "MobileNetV3Small", "mobilenet_v3_large": "MobileNetV3Large"},
        any_width=True,
    )
    | _family("standard", {f"densenet{depth}": f"DenseNet{depth}" for depth in (121, 169, 201)})
    | _family("signed", {"inception_v3": "InceptionV3", "inception_resnet_v2": "InceptionResNetV2"}, least=96)
    | _family("signed", {"xception": "Xception"})
    | _family("signed", {"nasnet_mobile": "NASNetMobile"}, made_at=224)
    | _family("signed", {"nasnet_large": "NASNetLarge"}, made_at=331)
    | _family("as_they_are", {f"efficientnet_b{number}": f"EfficientNetB{number}" for number in range(8)})
    | _family(
        "as_they_are",
        {f"efficientnet_v2{size.lower()}": f"EfficientNetV2{size}" for size in ("B0", "B1", "B2", "B3", "S", "M", "L")},
    )
    | _family(
        "as_they_are",
        {f"convnext_{size.lower()}": f"ConvNeXt{size}" for size in ("Tiny", "Small", "Base", "Large", "XLarge")},
    )
)
