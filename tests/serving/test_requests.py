"""A body in any of the forms becomes files; what is none of them is refused in one sentence that repeats nothing."""

import base64
import io
import json
import subprocess
import sys
from typing import Any

import pandas as pd
import pytest
from answering import form

from igarape.errors import InputError
from igarape.serving import requests
from igarape.serving.requests import FORMS, MOST, Unsupported, read_files, read_table

FILES = [b"first", b"second"]
TEXTS = [base64.b64encode(data).decode() for data in FILES]


def parquet(**columns: Any) -> bytes:
    """Write a table as Parquet."""
    file = io.BytesIO()
    how = columns.pop("compression", "snappy")
    pd.DataFrame(columns).to_parquet(file, compression=how)
    return file.getvalue()


@pytest.mark.parametrize("cells", [TEXTS, [{"b64": text} for text in TEXTS]])
def test_each_form_of_json_gives_the_files(cells: list[Any]) -> None:
    """Those of MLflow, with TensorFlow Serving's {"b64": text} in each place; without a content type too."""
    records = [{"image": cell, "else": 1} for cell in cells]
    for content in (
        {"dataframe_records": records},
        {"dataframe_split": {"columns": ["else", "image"], "data": [[1, cell] for cell in cells]}},
        {"inputs": {"image": cells}},
        {"inputs": records},
        {"inputs": cells},
        {"instances": records},
        {"instances": cells, "params": {}},
    ):
        for kind in ("application/json", "application/json; charset=utf-8", ""):
            assert read_table(json.dumps(content).encode(), kind, ["image"]).images == FILES
    for one in ({"inputs": cells[0]}, {"inputs": {"image": cells[0]}}, {"instances": cells[:1]}):
        assert read_table(json.dumps(one).encode(), "", ["image"]).images == FILES[:1]


def test_csv_and_parquet_give_the_files() -> None:
    """Texts in a column, or bytes as they are; other columns are passed over."""
    csv = "else,image\n" + "\n".join(f"1,{text}" for text in TEXTS)
    assert read_table(csv.encode(), "text/csv", ["image"]).images == FILES
    for table in (parquet(image=TEXTS), parquet(image=FILES, other=[1, 2]), parquet(image=FILES, compression=None)):
        assert read_table(table, "application/vnd.apache.parquet", ["image"]).images == FILES


def test_near_infrared_comes_in_a_second_column() -> None:
    """Of as many values; one that is missing is named by its row."""
    both = {"inputs": {"image": TEXTS, "nir": TEXTS[::-1]}}
    assert read_table(json.dumps(both).encode(), "", ["image", "nir"]).nir == FILES[::-1]
    for content, said in (
        ({"inputs": {"image": TEXTS, "nir": TEXTS[:1]}}, "as many values in each of the columns image, nir"),
        ({"inputs": TEXTS}, "expected the columns image and nir"),
        ({"inputs": {"image": TEXTS}}, "expected a column nir with a TIF of four bands"),
        ({"instances": [{"image": TEXTS[0], "nir": TEXTS[0]}, {"image": TEXTS[0]}]}, "row 1, nir: .*found nothing"),
    ):
        with pytest.raises(InputError, match=said):
            read_table(json.dumps(content).encode(), "", ["image", "nir"])


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "cannot be read"),
        (b"\xff", "cannot be read"),
        (b'{"inputs": "secret', "cannot be read"),
        (b"[" * 60_000, "cannot be read"),
        (b"[" * 100_000, "too many values"),
        (b"9" * 5000, "cannot be read"),
        (b"5", "found none of the keys"),
        (b'["secret"]', "found none of the keys"),
        (b'{"secret": 1}', "found none of the keys"),
        (b'{"inputs": [], "instances": []}', "found 2 of the keys"),
        (b'{"inputs": []}', "expected 1 to 1024 pictures, found none"),
        (b'{"inputs": null}', "row 0: .*found nothing"),
        (b'{"inputs": {}}', "expected a column image .*found none of that name among 0"),
        (b'{"dataframe_records": "secret"}', "no list of objects"),
        (b'{"dataframe_records": ["secret"]}', "no list of objects"),
        (b'{"dataframe_records": []}', "expected 1 to 1024 pictures, found none"),
        (b'{"dataframe_records": [{"secret": 1}]}', "expected a column image"),
        (b'{"dataframe_split": []}', "under dataframe_split"),
        (b'{"dataframe_split": {"columns": ["image"], "data": [["secret", "secret"]]}}', "under dataframe_split"),
        (json.dumps({"inputs": ["QQ"] * (MOST + 1)}).encode(), "expected 1 to 1024 pictures, found 1025"),
        (json.dumps({"inputs": ["QQ"] * 100_000}).encode(), "too many values"),
    ],
)
def test_a_body_that_is_none_of_the_forms_is_refused(body: bytes, said: str) -> None:
    """Whatever it is; the sentence repeats nothing of it."""
    with pytest.raises(InputError, match=said) as caught:
        read_table(body, "application/json", ["image"])
    assert "secret" not in str(caught.value) and "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "expected a column image"),
        (b"secret", "expected a column image"),
        (b"\xff", "cannot be read as text/csv"),
        (b"image\n", "found none"),
        (b"image,else\n\n", "found none"),
        (b"image\n" + b"QQ\n" * 5000, "found 1025"),
        (b"else,image\n1\n", "row 0: .*found nothing"),
    ],
)
def test_a_csv_that_is_none_is_refused(body: bytes, said: str) -> None:
    """By its column, its rows or its cells."""
    with pytest.raises(InputError, match=said):
        read_table(body, "text/csv", ["image"])


def test_a_parquet_that_is_none_or_a_bomb_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """By its beginning, its compression, its rows, or what it unpacks to: one value that stands in all rows."""
    kind = "application/vnd.apache.parquet"
    whole = parquet(image=FILES)
    for body in (b"", b"PAR1", whole[:-9], whole[:9] + b"\xff" * 60 + whole[69:]):
        with pytest.raises(InputError, match="cannot be read as"):
            read_table(body, kind, ["image"])
    with pytest.raises(InputError, match="packed as UNCOMPRESSED or SNAPPY"):
        read_table(parquet(image=FILES, compression="zstd"), kind, ["image"])
    with pytest.raises(InputError, match="found 1025"):
        read_table(parquet(image=[b"a"] * (MOST + 1)), kind, ["image"])
    with pytest.raises(InputError, match=r"expected a column image .*, found none of that name among 1"):
        read_table(parquet(picture=FILES), kind, ["image"])
    for cell in ([b"a"], {"b64": "a"}):
        with pytest.raises(InputError, match="found lists or structures"):
            read_table(parquet(image=[cell]), kind, ["image"])
    monkeypatch.setattr(requests, "BYTES", 10**6)
    bomb = parquet(image=[bytes(10**4)] * MOST)
    assert len(bomb) < 10**5
    with pytest.raises(InputError, match="of pictures, found more"):
        read_table(bomb, kind, ["image"])


def test_other_content_types_are_named_as_unsupported() -> None:
    """Here a table is asked for, there a picture or a form."""
    with pytest.raises(Unsupported) as caught:
        read_table(b"secret", "text/secret", ["image"])
    assert str(caught.value) == f"{FORMS}, found another content type"
    with pytest.raises(Unsupported, match="content type image"):
        read_files(b"secret", "application/json", ["image"])


def test_pictures_come_as_they_are_or_as_files_of_a_form() -> None:
    """With their names, in their order; whatever bytes they hold."""
    assert read_files(b"\r\n--", "image/jpeg", ["image"]).images == [b"\r\n--"]
    odd = b"\r\n--edg\r\n\r\n--\0\xff"
    sent = form(("image", "a.jpg", odd), ("else", "b.jpg", b"no"), ("image", "c.jpg", b""))
    found = read_files(*sent, ["image"])
    assert (found.images, found.names, found.nir) == ([odd, b""], ["a.jpg", "c.jpg"], None)
    assert read_files(*form(("image", "a", b"1"), ("nir", "b", b"2")), ["image", "nir"]).nir == [b"2"]


def test_a_form_without_files_or_an_end_is_refused() -> None:
    """And one picture where the model sees two files."""
    whole, kind = form(("image", "a.jpg", b"secret"))
    for body, content_type, said in (
        (whole[:-12], kind, "cut short"),
        (b"", kind, "cut short|found none"),
        (whole, "multipart/form-data", "with a boundary"),
        (whole, "multipart/form-data; boundary=ção", "cut short|found none"),
        (
            form(("picture", "a.jpg", b"secret"))[0],
            kind,
            "expected 1 to 1024 pictures in the form's field image, found none",
        ),
        (whole.replace(b'; filename="a.jpg"', b""), kind, "found none; a file comes with a name, as curl -F image=@"),
        (whole.replace(b"a.jpg", b"\xe3.jpg"), kind, "expected names in UTF-8"),
        (form(*[("image", "a", b"")] * (MOST + 2))[0], kind, "too long"),
    ):
        with pytest.raises(InputError, match=said) as caught:
            read_files(body, content_type, ["image"])
        assert "secret" not in str(caught.value)
    with pytest.raises(InputError, match="as many files in each of the fields image, nir"):
        read_files(whole, kind, ["image", "nir"])
    with pytest.raises(InputError, match="near-infrared too: send a form"):
        read_files(b"secret", "image/jpeg", ["image", "nir"])


def test_no_request_imports_what_reads_it() -> None:
    """Of two that came first at once, one would find half a module, and fail."""
    forms = (("read_files", "multipart/form-data; boundary=a"), ("read_table", "application/vnd.apache.parquet"))
    for reader, kind in forms:
        program = (
            f"import sys; from igarape.serving import requests; before = set(sys.modules)\n"
            f"try: requests.{reader}(b'', {kind!r}, ['image'])\n"
            "except requests.InputError: print(*{name.partition('.')[0] for name in set(sys.modules) - before})"
        )
        run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
        assert not {"werkzeug", "pyarrow"} & set(run.stdout.split())
