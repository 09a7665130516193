#!/usr/bin/env python3
"""Makes the stored folders anew with a build of vembed: make_folders.py PROGRAM [FOLDER].

Each case is a folder with its corpus, the output folder of a run that is finished, unfinished or has unanswered batches,
and what the whole corpus gives (expected/), as the build that made it read it. The commands use relative paths, so that
nothing in a folder names the machine it was made on. Times and ids differ from one making to the next.
"""

import gzip
import json
import os
import pathlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
# The address of the service is part of a run's identity, so the tests serve there too.
ADDRESS, PORT = "127.83.77.1", 28377
MODEL = ["--model", "bge-small-v1.5"]
FINISHED, UNFINISHED, UNANSWERED = "finished", "unfinished", "unanswered"
COLOURS = ["amber", "blue", "crimson", "dun", "ecru", "fawn", "green", "hazel", "indigo", "jade", "khaki", "lime"]


def quoted_tsv():
    """Quotes as CSV has them, a CR inside of a quoted field and at the ends of lines, blank lines, an empty text."""
    rows = ["id\ttext", '1\t"a ""quoted"" text"', "2\tplain", '3\t"with a\rCR"', "", "4\tlast of the first half",
            '5\t"with a\nline end"', "6\t", "", '7\t"seven"', "8\teight", "9\tnine"]
    return ("\r\n".join(rows) + "\r\n").encode()


def plain_tsv():
    return "".join(["id\ttext\n", *(f"{i}\tthe colour {c}\n" for i, c in enumerate(COLOURS))]).encode()


def blank_lines():
    return "".join(f"the colour {c}\r\n\n" if i % 3 == 0 else f"the colour {c}\n" for i, c in enumerate(COLOURS)).encode()


def quoted_csv():
    rows = ["id,text", '1,"a ""quoted"", long text"', "2,two", '3,"three\nlines\nof it"', "4,four", "5,five", '6,""',
            "7,seven", "8,eight", "9,nine"]
    return ("\r\n".join(rows) + "\r\n").encode()


def repeated_jsonl():
    return "".join(json.dumps({"id": f"id{i}", "text": f"the colour {c}"}) + "\n"
                   for i, c in enumerate(COLOURS + COLOURS[:4])).encode()


IDS = ["--id-field", "id"]
# name: (state, corpus file, content, options of embed, "reading": the rules for it may change, so 7 is right as well)
CASES = {
    "tsv_quotes_finished": (FINISHED, "corpus.tsv", quoted_tsv, IDS, "reading"),
    "tsv_quotes_unfinished": (UNFINISHED, "corpus.tsv", quoted_tsv, IDS, "reading"),
    "tsv_quotes_unanswered": (UNANSWERED, "corpus.tsv", quoted_tsv, IDS, "reading"),
    "tsv_unfinished": (UNFINISHED, "corpus.tsv", plain_tsv, IDS, "reading"),
    "lines_finished": (FINISHED, "corpus.txt", blank_lines, [], ""),
    "lines_unfinished": (UNFINISHED, "corpus.txt", blank_lines, [], ""),
    "lines_unanswered": (UNANSWERED, "corpus.txt", blank_lines, [], ""),
    "csv_unfinished": (UNFINISHED, "corpus.csv", quoted_csv, IDS, ""),
    "jsonl_unfinished": (UNFINISHED, "corpus.jsonl", repeated_jsonl, IDS, ""),
    "gzip_unfinished": (UNFINISHED, "corpus.jsonl.gz", lambda: gzip.compress(repeated_jsonl(), mtime=0), IDS, ""),
}


class Service:
    def __init__(self, program, *arguments, chunk_size=2):
        self.process = subprocess.Popen([program, "serve", "--address", ADDRESS, "--port", str(PORT), "--chunk-size",
                                         str(chunk_size), "--quiet", *arguments], stdout=subprocess.PIPE, text=True)
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"the service did not start at {ADDRESS}:{PORT}")
        ready = json.loads(line)
        self.environment = {"CYBERIAN_BASE_URL": ready["base_url"], "CYBERIAN_API_KEY": ready["api_key"]}

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.communicate()


def run(program, arguments, where, service, state, code):
    environment = os.environ | service.environment | {"XDG_STATE_HOME": str(state)}
    done = subprocess.run([program, *arguments], cwd=where, env=environment, capture_output=True, text=True, check=False)
    if done.returncode not in code:
        raise RuntimeError(f"{arguments} in {where}: {done.returncode}\n{done.stdout}{done.stderr}")


def make_case(program, folder, name, scratch):
    state, corpus, content, options, reading = CASES[name]
    case = folder / name
    case.mkdir()
    (case / corpus).write_bytes(content())
    command = ["embed", corpus, "-o", "out", *MODEL, *options, "--rows-per-job", "2", "--jobs-in-flight", "1"]
    extra = ["--max-chunks", "3"] if state == UNFINISHED else []
    for seed in range(1, 50):
        faults = ["--faults", "drop=0.3", "--seed", str(seed)] if state == UNANSWERED else []
        with Service(program, *faults) as service:
            run(program, command + extra, case, service, scratch / f"{name}.{seed}", (0, 1, 3, 75))
        manifest = json.loads((case / "out" / "manifest.json").read_text(encoding="utf-8"))
        if state_of(manifest) == state:
            break
        shutil.rmtree(case / "out")
    whole = case / "expected"
    with Service(program) as service:
        run(program, [*command[:3], "expected", *command[4:]], case, service,
            scratch / f"{name}.whole", (0, 3))
    for path in whole.iterdir():
        if path.name not in ("rows.sha256", "texts.sha256", "ids.jsonl"):
            path.unlink()
    close_journals(case)
    (case / "case.json").write_text(json.dumps({"state": state, "command": command, "reading_may_change":
                                                bool(reading)}, indent=1) + "\n", encoding="utf-8")


def state_of(manifest):
    if manifest["status"] == "complete":
        return FINISHED
    return UNANSWERED if manifest["unknown"] and manifest["rows_done"] else UNFINISHED


def close_journals(folder):
    """One file for each database: SQLite puts what is in a log into it when the last connection closes."""
    for path in folder.rglob("*.sqlite"):
        if path.with_name(path.name + "-wal").exists():
            with sqlite3.connect(path) as database:
                database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            database.close()
    left = [str(path) for path in folder.rglob("*.sqlite-*")]
    if left:
        raise RuntimeError(f"still there: {left}")


def make_cache(program, folder, scratch):
    """Rows bought before, and the corpus they are the rows of."""
    case = folder / "cache"
    case.mkdir()
    (case / "corpus.txt").write_text("".join(f"the colour {c}\n" for c in COLOURS), encoding="utf-8")
    with Service(program) as service:
        run(program, ["embed", "corpus.txt", "-o", str(scratch / "cached"), *MODEL, "--cache", "cache"], case, service,
            scratch / "cache.state", (0,))
    shutil.copy(scratch / "cached" / "rows.sha256", case / "expected.rows.sha256")
    close_journals(case)


def make_ledger(program, folder, scratch):
    """A trial account whose day is used up: 100 chunks."""
    case = folder / "ledger"
    case.mkdir()
    (scratch / "many.txt").write_text("".join(f"row {i}\n" for i in range(130)), encoding="utf-8")
    with Service(program, "--tier", "trial", chunk_size=1) as service:
        run(program, ["embed", str(scratch / "many.txt"), "-o", str(scratch / "many"), *MODEL, "--rows-per-job", "100",
                      "--quota-folder", "quota"], case, service, scratch / "ledger.state", (75,))
    close_journals(case)


def main():
    program = str(pathlib.Path(sys.argv[1]).resolve())
    folder = pathlib.Path(sys.argv[2] if len(sys.argv) > 2 else HERE / "folders").resolve()
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True)
    with tempfile.TemporaryDirectory(prefix="vembed-compat-") as scratch:
        for name in CASES:
            make_case(program, folder, name, pathlib.Path(scratch))
        make_cache(program, folder, pathlib.Path(scratch))
        make_ledger(program, folder, pathlib.Path(scratch))
    size = sum(path.stat().st_size for path in folder.rglob("*"))
    print(f"{folder}: {size} bytes")


if __name__ == "__main__":
    main()
