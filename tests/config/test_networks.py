"""The table of networks is keras.applications', which is not loaded to read a YAML."""

import inspect
from collections.abc import Callable
from typing import Any

import keras

from igarape.config.networks import NETWORKS


def makers() -> dict[str, Callable[..., Any]]:
    """Return the classes of keras.applications by their names."""
    found = inspect.getmembers(keras.applications, inspect.isfunction)
    return {name: maker for name, maker in found if "include_top" in inspect.signature(maker).parameters}


def test_every_network_of_keras_has_one_name() -> None:
    """None is left out, none twice."""
    assert sorted(network.maker for network in NETWORKS.values()) == sorted(makers())


def test_a_name_is_that_of_the_class() -> None:
    """In lower case, with or without underscores."""
    assert {name.replace("_", "") for name in NETWORKS} == {maker.lower() for maker in makers()}
    assert all(name.replace("_", "") == network.maker.lower() for name, network in NETWORKS.items())


def test_those_of_any_width_are_those_that_take_alpha() -> None:
    """MobileNets."""
    wide = {network.maker for network in NETWORKS.values() if network.any_width}
    assert wide == {name for name, maker in makers().items() if "alpha" in inspect.signature(maker).parameters}
