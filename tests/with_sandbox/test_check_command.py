"""`check` tells whether a run would start, each cross with its setting, and writes nothing."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING

from tests.target_process import API_KEY, PROGRAM, Message, as_lines, config, record, schema

if TYPE_CHECKING:
    from pathlib import Path

    from tests.sandbox_process import Sandbox

MAPPING: Message = {
    "stream": "rows",
    "name": "Row",
    "event_time": "{{ at }}",
    "contact": {"remote_id": "{{ id }}"},
    "once_per": "{{ id }}",
}
COLUMNS = {"id": {"type": "integer"}, "at": {"type": "string"}}


def check(settings: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [str(PROGRAM), "check", "--config", str(settings), *arguments]
    done = subprocess.run(command, capture_output=True, check=False, timeout=50, text=True)
    assert API_KEY not in done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    assert not (settings.parent / "data").exists()
    return done


def signs(done: subprocess.CompletedProcess[str]) -> str:
    return "".join(line[0] for line in done.stdout.splitlines())


def catalog(folder: Path) -> Path:
    def stream(name: str, *, selected: bool) -> Message:
        told = [
            {"breadcrumb": [], "metadata": {"selected": selected, "table-key-properties": ["id"]}},
            {"breadcrumb": ["properties", "at"], "metadata": {"inclusion": "available", "selected": selected}},
        ]
        return {"tap_stream_id": name, "schema": {"properties": COLUMNS}, "metadata": told}

    path = folder / "catalog.json"
    path.write_text(json.dumps({"streams": [stream("rows", selected=True), stream("others", selected=False)]}))
    return path


def test_all_that_is_right_is_ticked_and_nothing_is_written(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = config(tmp_path, sandbox.url, [MAPPING])
    (tmp_path / "in").write_bytes(as_lines([schema("rows", COLUMNS), record("rows", id="no integer")]))
    done = check(settings, "--input", str(tmp_path / "in"))
    assert (done.returncode, signs(done)) == (0, "✓✓✓✓✓✓"), done.stdout
    assert sandbox.events() == []
    assert [request["method"] for request in sandbox.requests()] == ["GET"]


def test_all_mistakes_of_all_mappings_are_crossed_at_once(sandbox: Sandbox, tmp_path: Path) -> None:
    wrong = MAPPING | {"name": "{{ nmae }}", "contact": {"email": "{{ mial }}"}}
    settings = config(tmp_path, sandbox.url, [wrong, MAPPING | {"stream": "absent"}])
    messages = [schema("rows", COLUMNS), schema("unknown", COLUMNS)]
    (tmp_path / "in").write_bytes(as_lines(messages))
    done = check(settings, "--input", str(tmp_path / "in"))
    assert done.returncode == 1
    assert "✗ mappings[0].name: " in done.stdout
    assert "✗ mappings[0].contact.email: " in done.stdout
    assert "✗ No mapping matches the stream unknown." in done.stdout
    assert "! mappings[1]: met no stream" in done.stdout
    assert "3 checks failed" in done.stderr


def test_a_schema_that_is_none_is_crossed_and_the_others_are_looked_at(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = config(tmp_path, sandbox.url, [MAPPING])
    odd: list[Message] = [{"type": "SCHEMA", "stream": "odd", "schema": []}, schema("unknown", COLUMNS)]
    (tmp_path / "in").write_bytes(as_lines(odd))
    done = check(settings, "--input", str(tmp_path / "in"))
    assert done.returncode == 1
    assert "✗ The SCHEMA of the stream odd is no object." in done.stdout
    assert "✗ No mapping matches the stream unknown." in done.stdout


def test_wrong_settings_are_crossed_each_by_its_name(tmp_path: Path) -> None:
    settings = config(tmp_path, "http://example.com", [MAPPING], max_concurrency=0, shop_id="none")
    done = check(settings)
    assert done.returncode == 1
    for name in ("api_url", "max_concurrency", "shop_id"):
        assert f"✗ {name} must " in done.stdout


def test_a_key_that_is_not_good_is_crossed(sandbox: Sandbox, tmp_path: Path) -> None:
    sandbox.put_faults({"faults": [{"kind": "status", "status": 401}]})
    done = check(config(tmp_path, sandbox.url, [MAPPING]))
    assert done.returncode == 1
    assert "✗ api_key: " in done.stdout


def test_a_catalog_gives_the_schemas_of_its_selected_streams(sandbox: Sandbox, tmp_path: Path) -> None:
    done = check(config(tmp_path, sandbox.url, [MAPPING]), "--catalog", str(catalog(tmp_path)))
    assert done.returncode == 0, done.stdout
    assert "✓ mappings: they suit the schemas of the streams: rows." in done.stdout


def test_a_stream_without_a_key_is_warned_of_by_its_name_after_stream_maps(sandbox: Sandbox, tmp_path: Path) -> None:
    without = {name: value for name, value in MAPPING.items() if name != "once_per"} | {"stream": "views"}
    mappings = [MAPPING, without, without | {"stream": "others"}]
    settings = config(tmp_path, sandbox.url, mappings, stream_maps={"pages": {"__alias__": "views"}})
    keyless = [schema(stream, COLUMNS, []) for stream in ("rows", "pages")]
    (tmp_path / "in").write_bytes(as_lines([*keyless, schema("others", COLUMNS)]))
    done = check(settings, "--input", str(tmp_path / "in"))
    assert (done.returncode, signs(done).count("!")) == (0, 1), done.stdout
    assert "! mappings[1]: the stream views has no key_properties and the mapping no once_per, " in done.stdout


def test_what_is_no_catalog_is_crossed(sandbox: Sandbox, tmp_path: Path) -> None:
    settings = config(tmp_path, sandbox.url, [MAPPING])
    done = check(settings, "--catalog", str(settings))
    assert done.returncode == 1
    assert "✗ --catalog: " in done.stdout


def test_each_shop_that_a_mapping_names_outright_is_tried(sandbox: Sandbox, tmp_path: Path) -> None:
    shops = [f"66e4c0de-0000-4000-8000-00000000000{number}" for number in (1, 2)]
    mappings = [MAPPING | {"shop_id": shop, "name": f"Row of {shop}"} for shop in shops]
    done = check(config(tmp_path, sandbox.url, mappings, shop_id=None))
    assert done.returncode == 0, done.stdout
    for shop in shops:
        assert f"✓ api_key and shop_id: the key opens the shop {shop}." in done.stdout
