"""The model that a map is made with: the bundle, and where it is from."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from igarape.errors import InputError
from igarape.scores.drift import DriftReference
from igarape.serving.bundle import Bundle
from igarape.serving.loading import load_bundle
from igarape.serving.manifest import Reference
from igarape.serving.reference import drift_reference
from igarape.sites.placement import check_resolution
from igarape.sites.scene import Scene


@dataclass(frozen=True)
class Model:
    """A bundle, and where it is from: a folder, or models:/NAME/VERSION."""

    bundle: Bundle
    address: str

    @cached_property
    def digest(self) -> str:
        """Return a hash of all that the bundle is made of."""
        return self.bundle.manifest.digest

    @property
    def metres(self) -> float:
        """Return the side of a pixel of the training chips on the ground. Raises InputError where nobody says it."""
        if self._reference.metres is None:
            dataset = self.bundle.manifest.dataset
            raise InputError(
                f"{self.address}: does not say how large a pixel of its training chips is on the ground. Write "
                f"resolution, in metres, into datasets/{dataset}.yaml, then: dvc repro"
            )
        return self._reference.metres

    @property
    def levels(self) -> Mapping[str, Sequence[float]]:
        """Return the levels of the training chips' colours, by percentile."""
        return self._reference.levels

    @property
    def usual(self) -> DriftReference | None:
        """Return what is usual of its answers; None where its training does not say it."""
        return drift_reference(self._reference.answers) if self._reference.answers else None

    @property
    def _reference(self) -> Reference:
        if self.bundle.manifest.reference is None:
            raise InputError(
                f"{self.address}: does not say what its training chips are like. Use a bundle that evaluate wrote"
            )
        return self.bundle.manifest.reference


def load_model(address: str) -> Model:
    """Load the model at an address, as registry.model_uri gives it; raise InputError when there is none."""
    return Model(load_bundle(address), address)


def check_scene(scene: Scene, model: Model) -> None:
    """Refuse a scene that shows less than the model sees, or on other pixels."""
    if model.bundle.needs_nir and scene.bands.nir is None:
        raise InputError(
            f"{scene.path}: the model sees near-infrared too. Say which band it is, such as --bands r=3,g=2,b=1,nir=4"
        )
    check_resolution(scene, model.metres)
