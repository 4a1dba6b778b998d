"""Run the benches named on the command line, or all of them, and write their figures to reports/bench.json."""

import json
import sys
from importlib import import_module
from pathlib import Path

from igarape.files import write_json

HERE = Path(__file__).parent
RESULTS = Path("reports/bench.json")
NAMES = (
    "decide",
    "dehaze_kernel",
    "dehaze_quality",
    "dehaze_rivals",
    "dehaze_step",
    "ingest_step",
    "read_random",
    "read_stream",
    "split",
    "split_million",
    "rehearsal",
    "dvc_noop",
    "feed",
    "train_overhead",
    "stack_fit",
    "change",
    "calibration",
    "filter_step",
    "bootstrap",
    "report",
    "search_overhead",
    "tracking_remote",
    "cluster_overhead",
    "cluster_gain",
    "probe",
    "serve_http",
    "serve_load",
    "batch",
    "tabular",
    "scene_map",
    "serve_one",
)


def main() -> None:
    """Run each bench and print its row; a row that is not run again stays as it was."""
    unknown = sorted(set(sys.argv[1:]) - set(NAMES))
    if unknown:
        raise SystemExit(f"{unknown[0]}: no such bench; known are: {', '.join(NAMES)}")
    rows = json.loads(RESULTS.read_text(encoding="utf-8")) if RESULTS.exists() else {}
    for name in sys.argv[1:] or NAMES:
        rows[name] = import_module(name).run()
        write_json(rows, RESULTS)
        print(f"{name}: {json.dumps(rows[name])}", flush=True)


if __name__ == "__main__":
    main()
