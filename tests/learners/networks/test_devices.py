"""What the machine offers: nothing changes without graphics cards, and what several of them would do works."""

import json
import subprocess
import sys
from pathlib import Path

import keras
import psutil
import pytest
import tensorflow as tf

from igarape.errors import InputError
from igarape.learners.networks import devices

# Two logical processors stand for two graphics cards, and bfloat16, which a processor can compute in, for float16.
SPREAD = """
import json, sys
import keras, numpy as np, tensorflow as tf
cards = tf.config.list_physical_devices("CPU")
tf.config.set_logical_device_configuration(cards[0], [tf.config.LogicalDeviceConfiguration()] * 2)
sys.path.insert(0, sys.argv[1])
import tiny
from igarape.learners.networks import devices
from igarape.learners.predictor import Predictor
from igarape.learners.learning import Training
from igarape.learners.networks.training import fit
from pathlib import Path

spread = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"], tf.distribute.ReductionToOneDevice())
devices.strategy, devices.precision = lambda: spread, lambda: "mixed_bfloat16"
rng = np.random.default_rng(1)
pictures, y = rng.integers(0, 256, (40, 32, 32, 3), dtype=np.uint8), rng.random((40, 3)) < 0.4
losses = []
training = Training(
    pictures, y, tiny.targets(3), train=np.arange(32), validation=np.arange(32, 40), epochs=6, patience=9, seed=1,
    log=lambda epoch, metrics: losses.append(metrics["loss"]),
)
trained = fit(training, experiment=tiny.tiny(), hyperparameters=tiny.values(ema=0.5))
path = trained.export(Path(sys.argv[2]) / "fold-0")
p = Predictor([path], threads=1).predict(pictures, tta=False, batch=8)
print(json.dumps({
    "losses": losses,
    "policies": sorted({layer.compute_dtype for layer in trained.network._flatten_layers()}),
    "replicas": trained.network.distribute_strategy.num_replicas_in_sync,
    "gap": float(np.abs(p - trained.predict(pictures, np.arange(40), tta=False)).max()),
}))
"""


def test_without_graphics_cards_a_training_is_as_it_ever_was(monkeypatch: pytest.MonkeyPatch) -> None:
    """One replica, and float32."""
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _kind: [])
    assert (devices.graphics_cards(), devices.precision()) == (0, "float32")
    assert devices.strategy().num_replicas_in_sync == 1


def test_graphics_cards_compute_in_half_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights stay float32: Keras's policy says both."""
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _kind: ["one"])
    policy = keras.mixed_precision.Policy(devices.precision())
    assert (policy.compute_dtype, policy.variable_dtype) == ("float16", "float32")


def test_a_precision_ends_with_its_block() -> None:
    """Whatever goes wrong inside."""
    before = keras.mixed_precision.global_policy().name
    with devices.in_precision("mixed_bfloat16"):
        assert keras.mixed_precision.global_policy().name == "mixed_bfloat16"
    assert keras.mixed_precision.global_policy().name == before
    with pytest.raises(ZeroDivisionError), devices.in_precision("mixed_bfloat16"):
        raise ZeroDivisionError
    assert keras.mixed_precision.global_policy().name == before


@pytest.mark.slow  # TensorFlow takes ten seconds to give up
def test_a_batch_beyond_the_memory_is_told_by_its_knob() -> None:
    """How much TensorFlow wanted comes before what to lower; other errors go on as they are."""
    told = (
        r"batch: 512 chips of 256 pixels do not fit the memory: OOM when .*shape\[16777216,16777216\].*\. Lower the ex"
    )
    more_than_an_address_can_reach = tf.function(lambda side: tf.random.uniform((side, side)))
    with pytest.raises(InputError, match=told), devices.within_memory(512, 256):
        more_than_an_address_can_reach(2**24)
    with pytest.raises(InputError, match="do not fit the memory: no room"), devices.within_memory(512, 256):
        raise tf.errors.ResourceExhaustedError(None, None, "no room\nand more")
    with pytest.raises(ZeroDivisionError), devices.within_memory(512, 256):
        raise ZeroDivisionError


def test_more_than_the_machine_has_free_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Both figures are told. A graphics card has a memory of its own."""
    free = psutil.virtual_memory().available
    devices.require_memory(free // 2, 8, 64)
    told = r"batch: 8 chips of 64 pixels do not fit the memory: a step holds 1024\.0 GB at least, and [\d.]+ are"
    with pytest.raises(InputError, match=told):
        devices.require_memory(2**40, 8, 64)
    monkeypatch.setattr(tf.config, "list_physical_devices", lambda _kind: ["one"])
    devices.require_memory(2**40, 8, 64)


@pytest.mark.slow
@pytest.mark.timeout(300)
def test_a_training_spread_over_two_devices_in_half_precision_learns_and_is_exported_in_float32(tmp_path: Path) -> None:
    """The exported model answers as the network does, as far as half precision goes."""
    words = [sys.executable, "-c", SPREAD, str(Path(__file__).parents[2]), str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout.splitlines()[-1])
    assert seen["replicas"] == 2
    assert "bfloat16" in seen["policies"]
    assert seen["losses"][-1] < seen["losses"][0]
    assert seen["gap"] < 0.05
