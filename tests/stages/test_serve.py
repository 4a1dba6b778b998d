"""serve checks the port and the champion first, then answers; curl gets the bundle's answers."""

import base64
import io
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pandas as pd
import psutil
import pytest
from mlflow import MlflowClient

from igarape.chips.pictures import Pixels, encode_jpeg
from igarape.errors import InputError
from igarape.serving.bundle import Bundle
from igarape.stages import serve
from igarape.workspace import Workspace

HOST = "127.0.0.1"
# As docs/serving.md prints it, for a port of ours.
CURL = """(printf '{"dataframe_records":[{"image":"'; base64 < chip.jpg | tr -d '\\n'; printf '"}]}') |
curl -s localhost:%d/invocations -H 'Content-Type: application/json' -d @-"""


def free_port() -> int:
    """Return a port that nothing listens on."""
    with socket.create_server((HOST, 0)) as server:
        port: int = server.getsockname()[1]
    return port


def test_a_port_in_use_is_said_before_anything_starts(champion: Path) -> None:
    """The error names the port and says what to type."""
    with socket.create_server((HOST, 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(InputError, match=rf"{HOST}, port {port}: .*in use.*igarape serve --port \d+"):
            serve.run(Workspace(champion), port=port, host=HOST)


@pytest.mark.parametrize("host", ["::1", "::"])
def test_an_address_of_ip_version_6_is_one(tmp_path: Path, host: str) -> None:
    """What is wrong is looked for after that."""
    try:
        socket.create_server((host, 0), family=socket.AF_INET6).close()
    except OSError:
        pytest.skip("this machine has none")
    with pytest.raises(InputError, match=r"bundle\.json"):
        serve.run(Workspace(tmp_path), port=free_port(), host=host, bundle=tmp_path)


@pytest.mark.parametrize(("port", "host"), [(70000, HOST), (0, "no.such.host.invalid")])
def test_an_address_that_is_none_is_said(tmp_path: Path, port: int, host: str) -> None:
    """A port beyond 65535 and an unknown host, each with what to type in its place."""
    other = "--port" if host == HOST else "--host 0.0.0.0"
    with pytest.raises(InputError, match=f"cannot listen on {host}, port {port}: .* {other}"):
        serve.run(Workspace(tmp_path), port=port, host=host)


def test_a_folder_that_holds_no_bundle_is_said(tmp_path: Path) -> None:
    """Before anything starts."""
    with pytest.raises(InputError, match=r"bundle\.json"):
        serve.run(Workspace(tmp_path), port=free_port(), host=HOST, bundle=tmp_path)


def test_without_a_champion_it_says_what_to_run(registry: Path) -> None:
    """A challenger alone is not served."""
    with pytest.raises(InputError, match=r"models:/igarape-toy@champion: no champion yet\. Run: make repro"):
        serve.run(Workspace(registry), port=free_port(), host=HOST)


def test_a_student_has_a_champion_of_its_own(champion: Path) -> None:
    """The ensemble's does not stand in for it; the error says how to have one."""
    with pytest.raises(InputError, match=r"igarape-toy-student@champion: no champion yet\. Name an experiment for it"):
        serve.run(Workspace(champion), port=free_port(), host=HOST, model="student")


@contextmanager
def serving(folder: Path, **options: object) -> Iterator[int]:
    """Serve the champion of a folder on a free port in a process of its own; give the port."""
    port = free_port()
    more = "".join(f", {name}={value!r}" for name, value in options.items())
    imports = "from pathlib import PosixPath; from igarape.stages import serve; from igarape.workspace import Workspace"
    program = f"{imports}; serve.run(Workspace.find(), port={port}, host={HOST!r}{more})"
    process = subprocess.Popen([sys.executable, "-c", program], cwd=folder, start_new_session=True)
    try:
        wait(process, port)
        yield port
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def wait(process: subprocess.Popen[bytes], port: int) -> None:
    """Wait until a server answers its ping."""
    deadline = time.monotonic() + 90
    while not answers(port):
        assert process.poll() is None and time.monotonic() < deadline, "the server does not come up"
        time.sleep(0.2)


def answers(port: int) -> bool:
    """Say whether the server answers its ping."""
    try:
        urllib.request.urlopen(f"http://{HOST}:{port}/ping", timeout=5).close()
    except OSError:
        return False
    return True


@pytest.fixture
def server(champion: Path) -> Iterator[int]:
    """Serve the champion; give the port."""
    with serving(champion) as port:
        yield port


def get(port: int, path: str) -> dict[str, str]:
    """Return what an address of the server tells."""
    with urllib.request.urlopen(f"http://{HOST}:{port}{path}", timeout=30) as answer:
        told: dict[str, str] = json.load(answer)
    return told


def post(port: int, content: object, kind: str = "application/json") -> bytes:
    """Send a request, as JSON where it is no bytes, and return the answer's body."""
    request = urllib.request.Request(
        f"http://{HOST}:{port}/invocations",
        data=content if isinstance(content, bytes) else json.dumps(content).encode(),
        headers={"Content-Type": kind},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        body: bytes = answer.read()
    return body


def refused(port: int, content: object, kind: str = "application/json") -> tuple[int, dict[str, str]]:
    """Send a request that should be refused; return the status and what is said."""
    with pytest.raises(urllib.error.HTTPError) as caught:
        post(port, content, kind)
    answer: dict[str, str] = json.loads(caught.value.read())
    return caught.value.code, answer


def test_make_serve_says_what_is_missing(registry: Path) -> None:
    """Without a champion nothing is started."""
    done = subprocess.run(make_serve(registry, free_port()), cwd=registry, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert "Error: models:/igarape-toy@champion: no champion yet. Run: make repro" in done.stderr


@pytest.mark.slow
def test_make_serve_is_mlflows_own_server(champion: Path, bundle_folder: Path, images: list[Pixels]) -> None:
    """It gives the bundle's answers, and has none of the addresses that igarape serve has besides."""
    port = free_port()
    pictures = [encode_jpeg(image, 95) for image in images[:2]]
    expected = Bundle.load(bundle_folder).answer(pictures)
    with subprocess.Popen(make_serve(champion, port), cwd=champion, start_new_session=True) as process:
        try:
            wait(process, port)
            records = [{"image": base64.b64encode(picture).decode()} for picture in pictures]
            answer = pd.DataFrame(json.loads(post(port, {"dataframe_records": records}))["predictions"])
            with pytest.raises(urllib.error.HTTPError, match="404"):
                get(port, "/metrics")
        finally:
            os.killpg(process.pid, signal.SIGTERM)
    pd.testing.assert_frame_equal(answer, expected, check_dtype=False, atol=1e-5)


def make_serve(folder: Path, port: int) -> list[str]:
    """Return what types `make serve` in a folder, which gets the Makefile, with what is installed here."""
    shutil.copy(Path(__file__).parents[2] / "Makefile", folder)
    environment = Path(sys.executable).parents[1]
    return ["make", "--old-file=setup", "serve", f"VENV={environment}", f"BIN={environment}/bin", f"PORT={port}"]


@pytest.mark.slow
def test_a_model_that_needs_near_infrared_gets_it_over_http(
    nir_champion: Path, nir_bundle_folder: Path, images: list[Pixels], tif_files: list[bytes]
) -> None:
    """As base64 in a second column; a request without it is a 400 that says what is missing."""
    chips = [encode_jpeg(image, 95) for image in images]
    columns = {"image": chips, "nir": tif_files}
    texts = {name: [base64.b64encode(data).decode() for data in files] for name, files in columns.items()}
    records = [{"image": image, "nir": nir} for image, nir in zip(*texts.values(), strict=True)]
    expected = Bundle.load(nir_bundle_folder).answer(chips, tif_files)
    with serving(nir_champion) as port:
        for content in ({"dataframe_records": records}, {"inputs": texts}):
            answer = pd.DataFrame(json.loads(post(port, content))["predictions"])
            pd.testing.assert_frame_equal(answer, expected, check_dtype=False, atol=1e-6)
        for content in ({"inputs": {"image": texts["image"]}}, {"dataframe_records": [{"image": texts["image"][0]}]}):
            with pytest.raises(urllib.error.HTTPError) as caught:
                post(port, content)
            assert caught.value.code == 400 and "nir" in caught.value.read().decode()


@pytest.mark.slow
def test_curl_gets_the_answers_of_the_bundle(
    server: int, champion: Path, bundle_folder: Path, images: list[Pixels]
) -> None:
    """A JPEG goes in as base64, tags and probabilities come out; a bad picture is a 400 with one sentence."""
    chip = encode_jpeg(images[0], 95)
    (champion / "chip.jpg").write_bytes(chip)
    done = subprocess.run(["bash", "-c", CURL % server], cwd=champion, capture_output=True, text=True, check=True)
    answer = pd.DataFrame(json.loads(done.stdout)["predictions"])
    expected = Bundle.load(bundle_folder).answer([chip])
    pd.testing.assert_frame_equal(answer, expected, check_dtype=False, atol=1e-6)
    with pytest.raises(urllib.error.HTTPError) as caught:
        post(server, {"dataframe_records": [{"image": "aGVsbG8="}]})
    body = caught.value.read().decode()
    assert caught.value.code == 400
    assert "row 0: expected a JPEG, PNG or TIF, found 5 bytes" in body and "Traceback" not in body


def parquet(**columns: list[bytes]) -> bytes:
    """Write a table as Parquet."""
    file = io.BytesIO()
    pd.DataFrame(columns).to_parquet(file)
    return file.getvalue()


@pytest.mark.slow
def test_all_forms_of_a_request_are_answered_alike(
    server: int, bundle_folder: Path, images: list[Pixels], champion: Path
) -> None:
    """What MLflow's server takes, JSON, CSV and Parquet, with TensorFlow Serving's {"b64": text} in each place."""
    chips = [encode_jpeg(image, 95) for image in images[:2]]
    texts = [base64.b64encode(chip).decode() for chip in chips]
    objects = [{"b64": text} for text in texts]
    forms: list[object] = []
    for cells in (texts, objects):
        records = [{"image": cell} for cell in cells]
        forms += [
            {"dataframe_records": records},
            {"dataframe_split": {"columns": ["image"], "data": [[cell] for cell in cells]}},
            {"inputs": {"image": cells}},
            {"inputs": records},
            {"inputs": cells},
            {"instances": records},
            {"instances": cells},
        ]
    csv = "\n".join(["image", *texts]).encode()
    expected = Bundle.load(bundle_folder).answer(chips)
    answers = [post(server, form) for form in forms]
    answers += [post(server, csv, "text/csv"), post(server, parquet(image=chips), "application/vnd.apache.parquet")]
    for answer in answers:
        table = pd.DataFrame(json.loads(answer)["predictions"])
        pd.testing.assert_frame_equal(table, expected, check_dtype=False, atol=1e-6)


@pytest.mark.slow
def test_an_error_does_not_repeat_the_request(server: int) -> None:
    """Whatever is wrong, and whoever finds that, no more than 60 characters of it come back, and no traceback."""
    text = "".join(f"{number:05d}" for number in range(40_000))  # no two parts of it are alike
    requests: list[tuple[object, str, int]] = [
        ({"instances": [{"b64": text}]}, "application/json", 400),
        ({"dataframe_records": [{"image": text + "#"}]}, "application/json", 400),
        ({"dataframe_records": [{"image": {"b65": text}}]}, "application/json", 400),
        ({"dataframe_records": [{text: text}]}, "application/json", 400),
        ({"dataframe_records": text}, "application/json", 400),
        ({"dataframe_split": {"columns": ["image"], "data": [[text, text]]}}, "application/json", 400),
        ({"inputs": text}, "application/json", 400),
        ({"input": text}, "application/json", 400),
        ({"messages": [text]}, "application/json", 400),
        ({text: text}, "application/json", 400),
        ([text], "application/json", 400),
        (text, "application/json", 400),
        (f'{{"inputs": "{text}'.encode(), "application/json", 400),
        (b"\xff" + text.encode(), "application/json", 400),
        (text.encode(), "text/csv", 400),
        (b"\xff" + text.encode(), "text/csv", 400),
        (text.encode(), "application/vnd.apache.parquet", 400),
        (text.encode(), "text/plain", 415),
    ]
    parts = {text[start : start + 61] for start in range(len(text) - 60)}
    for content, kind, status in requests:
        code, answer = refused(server, content, kind)
        assert code == status, answer
        assert set(answer) == {"error_code", "message"} and len(answer["message"]) < 400
        assert not any(answer["message"][start : start + 61] in parts for start in range(len(answer["message"])))
    assert "image" in refused(server, {"dataframe_records": [{"picture": "x"}]})[1]["message"]


@pytest.mark.slow
def test_a_bundle_is_served_to_who_has_the_token(registry: Path, bundle_folder: Path, images: list[Pixels]) -> None:
    """From its folder, with an empty registry; the token is what stands in the file."""
    (registry / "token").write_text("a" * 32 + "\n", encoding="ascii")
    chip = encode_jpeg(images[0], 95)
    content = {"inputs": [base64.b64encode(chip).decode()]}
    with serving(registry, bundle=bundle_folder, token_file=registry / "token") as port:
        assert refused(port, content)[0] == 401
        request = urllib.request.Request(
            f"http://{HOST}:{port}/tag",
            data=chip,
            headers={"Content-Type": "image/jpeg", "Authorization": f"Bearer {'a' * 32}"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            (told,) = json.load(answer)["answers"]
    assert " ".join(told["tags"]) == Bundle.load(bundle_folder).answer([chip])["tags"][0]


@pytest.mark.slow
def test_a_new_champion_is_taken_over_and_the_end_waits_for_answers(champion: Path, images: list[Pixels]) -> None:
    """With watch, every request is answered while the champion changes; after SIGTERM, what was sent before is too."""
    chip, body = encode_jpeg(images[0], 95), json.dumps({"inputs": ["QUJD"]}).encode()
    with serving(champion, watch=1.0) as port:
        assert get(port, "/version")["version"] == "1"
        version = MlflowClient().copy_model_version("models:/igarape-toy/1", "igarape-toy").version
        MlflowClient().set_registered_model_alias("igarape-toy", "champion", str(version))
        deadline = time.monotonic() + 60
        while get(port, "/version")["version"] != "2":
            assert time.monotonic() < deadline
            post(port, {"inputs": [base64.b64encode(chip).decode()]})
        # The request has begun; most of its body follows the signal.
        with socket.create_connection((HOST, port), timeout=60) as opened:
            head = (
                f"POST /invocations HTTP/1.1\r\nHost: a\r\nContent-Length: {len(body)}\r\nExpect: 100-continue\r\n\r\n"
            )
            opened.sendall(head.encode())
            assert opened.recv(1000).startswith(b"HTTP/1.1 100 ")  # the server waits for the body
            opened.sendall(body[:5])
            (process,) = [each for each in psutil.Process().children() if each.is_running()]
            process.terminate()
            time.sleep(0.5)
            opened.sendall(body[5:])
            assert opened.recv(1000).startswith(b"HTTP/1.1 400 ")  # the three letters are no picture
        assert psutil.wait_procs([process], 30)[1] == []
