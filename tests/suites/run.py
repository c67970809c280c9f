#!/usr/bin/env python3
"""Runs the test suite of a DataJoint generation directly and through codec-proxy, and compares.

    run.py 2 --proxy target/debug/codec-proxy
    run.py 0 --sources DIRECTORY --proxy target/debug/codec-proxy
    run.py 0 --sources DIRECTORY --ways direct,blob -- tests/test_fetch.py -x

Every way has a MariaDB and an S3 server of its own; all run side by side. What a test says counts,
by its name: the run fails if a test fails through codec-proxy that passes directly, or one that
`must_pass_N.txt` lists. Without the way "direct", the comparison is with `fails_directly_N.txt`,
the names that failed when it was last written (--record writes it).
Outcomes and logs stay in target/suites. Ends with 1 on a difference, with 2 if nothing could be run.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from xml.etree import ElementTree

import parts
from parts import CannotRun

HERE = Path(__file__).resolve().parent

# By generation: what codec-proxy does in each way. "direct" is without it.
WAYS = {
    "2": {
        "direct": None,
        "stored": {"view": "stored", "declare": {}, "store": "file"},
    },
    "0": {
        "direct": None,
        "undeclared": {"view": "bytes", "declare": {}, "store": "file"},
        "blob": {"view": "bytes", "declare": {"longblob": "<blob>"}, "store": "file"},
        "s3": {"view": "bytes", "declare": {"longblob": "<blob@main>", "attach": "<attach@main>"}, "store": "s3"},
    },
}
# "undeclared" shows what the relay alone does, when a difference is looked for.
USUAL = {"2": ["direct", "stored"], "0": ["direct", "blob", "s3"]}
# PostgreSQL has nothing to do with codec-proxy.
SELECTION = {"2": ["-k", "not postgresql"], "0": []}


def main():
    options = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    options.add_argument("generation", choices=WAYS)
    options.add_argument("--proxy", type=Path, required=True)
    options.add_argument("--sources", type=Path, help="a folder with tests/ and pyproject.toml")
    options.add_argument("--ways", help="only these, with commas between them")
    options.add_argument("--record", action="store_true", help="write fails_directly_N.txt")
    options.epilog = "After --: further arguments of pytest."
    own, further = split(sys.argv[1:])
    arguments = options.parse_args(own)
    generation = arguments.generation
    ways = arguments.ways.split(",") if arguments.ways else USUAL[generation]
    try:
        sources = find_sources(generation, arguments.sources)
        kept = parts.ROOT / "target/suites" / generation
        kept.mkdir(parents=True, exist_ok=True)
        with ThreadPoolExecutor(len(ways)) as side_by_side:
            outcomes = dict(zip(ways, side_by_side.map(
                lambda way: run_suite(generation, way, sources, arguments.proxy, kept, further), ways)))
    except CannotRun as reason:
        print(f"the suite cannot run: {reason}", file=sys.stderr)
        return 2
    if arguments.record:
        record(generation, outcomes["direct"])
    return compare(generation, outcomes, whole=not further)


def split(words):
    """The words before and after `--`."""
    at = words.index("--") if "--" in words else len(words)
    return words[:at], words[at + 1:]


def find_sources(generation, given):
    if generation == "2" and given is None:
        given = parts.TOOLS / "suite2/sources"
    if given is None or not (given / "tests/conftest.py").exists():
        raise CannotRun(
            "the tests of DataJoint 0.14 are not on PyPI in full (conftest.py and the schemas are missing\n"
            "there). They are in its repository:\n"
            "    git clone --depth 1 --branch v0.14.9 https://github.com/datajoint/datajoint-python DIRECTORY\n"
            "    make test-datajoint-0 DATAJOINT_0=DIRECTORY"
            + (f"\n{given} has no tests/conftest.py." if given else "")
        )
    return given.resolve()


def run_suite(generation, way, sources, proxy, kept, further):
    """One way: its parts, the suite, and what each test said: name -> "passed", "failed", …"""
    with ExitStack() as started, tempfile.TemporaryDirectory(prefix="codec-proxy-suite-") as folder:
        folder = Path(folder)
        # Parts end before their folder goes.
        parts_of_way = started.enter_context(ExitStack())
        server, port = parts.mariadb(folder / "mariadb")
        parts_of_way.enter_context(server)
        s3, s3_port = parts.moto(folder / "moto", parts.TOOLS / f"suite{generation}")
        parts_of_way.enter_context(s3)
        what = WAYS[generation][way]
        if what is not None:
            store = {"protocol": "file", "location": str(folder / "store")}
            if what["store"] == "s3":
                seaweed, store = parts.seaweedfs(folder / "seaweedfs")
                parts_of_way.enter_context(seaweed)
            codec_proxy, port = parts.codec_proxy(folder / "codec-proxy", proxy, port, what["view"], store, what["declare"])
            parts_of_way.enter_context(codec_proxy)
        suite = folder / "suite"
        suite.mkdir()
        parts.copy_tests(sources, suite)
        report = kept / f"{way}.xml"
        report.unlink(missing_ok=True)
        try:
            pytest(generation, suite, port, s3_port, report, kept / f"{way}.txt", further)
        finally:
            if what is not None:
                shutil.copy(codec_proxy.log, kept / f"{way}.codec-proxy.log")
                if codec_proxy.process.poll() is not None:
                    raise CannotRun(f"codec-proxy ended in the way {way!r}: see {kept}/{way}.codec-proxy.log")
        return read_report(report, kept / f"{way}.txt")


def pytest(generation, suite, port, s3_port, report, printed, further):
    home = suite.parent / "home"
    home.mkdir()
    environment = parts.TOOLS / f"suite{generation}"
    address = {"DJ_HOST": "127.0.0.1", "DJ_PORT": str(port), "DJ_USE_EXTERNAL_CONTAINERS": "1", "DJ_BACKEND": "mysql"}
    if generation == "0":  # knows no DJ_PORT
        address = {"DJ_HOST": f"127.0.0.1:{port}", "DJ_TEST_HOST": f"127.0.0.1:{port}"}
    variables = {
        "PATH": f"{environment}/bin:{os.environ['PATH']}",  # some tests run `dj`
        "HOME": str(home),
        "TMPDIR": str(home),
        "PYTHONPATH": str(HERE),
        "PYTHONDONTWRITEBYTECODE": "1",
        **address,
        "DJ_USER": "root", "DJ_PASS": parts.PASSWORD,
        "DJ_TEST_USER": "datajoint", "DJ_TEST_PASSWORD": "datajoint",
        "S3_ENDPOINT": f"127.0.0.1:{s3_port}", "S3_ACCESS_KEY": parts.S3["access_key"],
        "S3_SECRET_KEY": parts.S3["secret_key"], "S3_BUCKET": parts.S3["bucket"],
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    where = [] if any(word.startswith("tests") for word in further) else ["tests"]
    command = [environment / "bin/python", "-m", "pytest", *where, "-p", "no:cacheprovider", "-p", "on_mariadb",
               "-q", "-rA", "--timeout=300", f"--junitxml={report}", *SELECTION[generation], *further]
    with open(printed, "wb") as output:
        subprocess.run(list(map(str, command)), cwd=suite, env=variables, stdin=subprocess.DEVNULL, stdout=output,
                       stderr=subprocess.STDOUT)


def read_report(report, printed):
    if not report.exists():
        raise CannotRun(f"pytest wrote no report; it said:\n{printed.read_text(errors='replace')[-3000:]}")
    outcomes = {}
    for case in ElementTree.parse(report).iter("testcase"):
        name = f"{case.get('classname')}::{case.get('name')}"
        said = [child.tag for child in case if child.tag in ("failure", "error", "skipped")]
        outcome = {"failure": "failed", "error": "error", "skipped": "skipped"}[said[0]] if said else "passed"
        # A test may pass and its teardown fail: two entries.
        if outcomes.get(name, "passed") == "passed":
            outcomes[name] = outcome
    if not outcomes:
        raise CannotRun(f"no test was run; pytest said:\n{printed.read_text(errors='replace')[-3000:]}")
    return outcomes


def compare(generation, outcomes, whole):
    """Prints the numbers and the names; 1 if codec-proxy fails what passes without it."""
    for way, results in outcomes.items():
        said = list(results.values())
        numbers = ", ".join(f"{said.count(what)} {what}" for what in ("passed", "failed", "error", "skipped"))
        print(f"{way}: {numbers}")
    direct = outcomes.get("direct")
    recorded = {name: "failed" for name in names(HERE / f"fails_directly_{generation}.txt")}
    must_pass = names(HERE / f"must_pass_{generation}.txt")
    worse = 0
    for way, results in outcomes.items():
        if way == "direct":
            continue
        for name, outcome in sorted(results.items()):
            before = direct.get(name, "missing") if direct is not None else recorded.get(name, "passed")
            if outcome in ("failed", "error") and (before == "passed" or name in must_pass):
                worse += 1
                print(f"{way}: {name}: {outcome}, directly {before}")
            elif outcome == "passed" and before in ("failed", "error"):
                print(f"{way}: {name}: passes, directly {before}")
        if whole:
            expected = must_pass | set(direct or ())
            for name in sorted(expected - results.keys()):
                worse += 1
                print(f"{way}: {name}: was not run")
    print(f"{worse} tests fail through codec-proxy that must not." if worse else "Nothing fails through codec-proxy alone.")
    return 1 if worse else 0


def names(path):
    """The lines of a list; `#` begins a comment."""
    if not path.exists():
        return set()
    return {line.split("#")[0].strip() for line in path.read_text().splitlines()} - {""}


def record(generation, direct):
    failing = sorted(name for name, outcome in direct.items() if outcome in ("failed", "error"))
    (HERE / f"fails_directly_{generation}.txt").write_text("".join(f"{name}\n" for name in failing))


if __name__ == "__main__":
    sys.exit(main())
