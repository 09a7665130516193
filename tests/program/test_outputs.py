"""Where output goes: what is no regular file is written into, links are followed, a cache is no output folder."""

import os
import stat
import subprocess
import threading
import unittest

import numpy

from harness import PROGRAM, ProgramTest, clean_environment, corpus


class Outputs(ProgramTest):
    def setUp(self):
        super().setUp()
        self.service = self.serve("--chunk-size", "10")
        self.out = self.folder / "out"
        self.lines = self.write_lines(corpus(20))
        self.run_program("embed", self.lines, "-o", self.out, service=self.service)

    def through_a_pipe(self, *arguments, **options):
        """What the command writes into a FIFO."""
        pipe = self.folder / "pipe"
        if not pipe.exists():
            os.mkfifo(pipe)
        seen = []
        reader = threading.Thread(target=lambda: seen.append(pipe.read_bytes()))
        reader.start()
        self.run_program(*arguments, "-o", pipe, **options)
        self.assertTrue(stat.S_ISFIFO(os.lstat(pipe).st_mode))
        reader.join(timeout=60)
        self.assertFalse(reader.is_alive())
        return seen[0]

    def commands(self):
        job = self.service.submit(corpus(3))
        self.run_program("job", "wait", job, service=self.service)
        return [("prove", self.out, "--row", "3"), ("export", self.out, "--format", "fbin"),
                ("export", self.out, "--format", "safetensors"), ("job", "output", job)]

    def test_a_pipe_gets_what_a_file_gets(self):
        for command in self.commands():
            file = self.folder / "file"
            self.run_program(*command, "-o", file, service=self.service)
            self.assertEqual(self.through_a_pipe(*command, service=self.service), file.read_bytes(), command)

    @unittest.skipUnless(os.geteuid() == 0, "only root makes devices")
    def test_a_device_stays(self):
        device = self.folder / "null"
        try:
            os.mknod(device, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
            device.write_bytes(b"")
        except OSError:
            self.skipTest("devices do not work in this folder")
        for command in self.commands():
            self.run_program(*command, "-o", device, service=self.service)
            self.assertTrue(stat.S_ISCHR(os.lstat(device).st_mode), command)
            self.assertFalse((self.folder / "null.partial").exists())

    def test_links_are_followed(self):
        (self.folder / "elsewhere").mkdir()
        for command in self.commands():
            for there in (True, False):
                target = self.folder / "elsewhere" / "target"
                target.unlink(missing_ok=True)
                if there:
                    target.write_text("before")
                link = self.folder / "link"
                link.unlink(missing_ok=True)
                link.symlink_to("elsewhere/target")
                self.run_program(*command, "-o", link, service=self.service)
                self.assertTrue(link.is_symlink(), command)
                self.assertFalse(target.is_symlink())
                self.assertGreater(target.stat().st_size, 100)

    def test_standard_output_by_name_is_appended_to(self):
        kept = self.folder / "kept"
        kept.write_bytes(b"before")
        with kept.open("ab") as to:
            subprocess.run([os.environ["VEMBED_PROGRAM"], "export", self.out, "--format", "fbin", "-o", "/dev/stdout"],
                           stdout=to, stderr=subprocess.PIPE, check=True)
        self.assertTrue(kept.read_bytes().startswith(b"before"))
        self.assertGreater(kept.stat().st_size, 20 * 4 * 8)

    def test_what_is_left_out_needs_a_regular_file(self):
        os.mkfifo(self.folder / "pipe")
        reader = threading.Thread(target=lambda: (self.folder / "pipe").read_bytes())
        reader.start()
        done = self.run_program("export", self.out, "--format", "fbin", "--skip-failed", "-o", self.folder / "pipe", code=2)
        reader.join(timeout=60)
        self.assertIn("no regular file", done.err)

    def test_attest_needs_a_file_that_it_can_read_again(self):
        os.mkfifo(self.folder / "pipe")
        done = self.run_program("attest", self.lines, "--npy", self.out / "embeddings.npy", "-o", self.folder / "pipe",
                                service=self.service, code=2)
        self.assertIn("no regular file", done.err)
        self.assertFalse((self.folder / "pipe.sent").exists())

    def test_an_output_folder_is_no_cache(self):
        before = sorted(path.name for path in self.out.iterdir())
        for command in (("embed", self.lines, "-o", self.folder / "next"), ("plan", self.lines)):
            done = self.run_program(*command, "--cache", self.out, service=self.service, code=2)
            self.assertIn("is an output folder", done.err)
        new = self.folder / "new"
        (self.folder / "link").symlink_to("new")
        for folder, cache in ((new, new), ("new", "./new"), ("new", "new/"), ("new", "new//"), ("new", "new/."),
                              ("new", new), ("new/", "new"), (new, "later/../new"), ("new", "link"), ("link/", "new")):
            done = self.run_program("embed", self.lines, "-o", folder, "--cache", cache, service=self.service, code=2,
                                    cwd=self.folder)
            self.assertIn("is the output folder of this command", done.err, (folder, cache))
        self.assertEqual(sorted(path.name for path in self.out.iterdir()), before)
        self.assertFalse(new.exists())

    def test_an_output_folder_with_a_cache_in_it_is_no_cache(self):
        for name in ("journal.sqlite", "receipts.jsonl", "texts.sha256", "failed.jsonl", "duplicates.jsonl",
                     "cached.jsonl", "run.json"):
            mixed = self.folder / f"with-{name}"
            mixed.mkdir()
            (mixed / "rows.sqlite").write_bytes(b"")
            (mixed / name).write_bytes(b"")
            done = self.run_program("plan", self.lines, "--cache", mixed, service=self.service, code=2)
            self.assertIn(f"is an output folder: it has {name}", done.err)

    def content(self, folder):
        return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}

    def test_files_that_were_paid_for_are_not_written_over(self):
        before = self.content(self.out)
        (self.folder / "link.npy").symlink_to("out/embeddings.npy")
        (self.folder / "there").symlink_to("out")
        attest = ("attest", self.lines, "--npy", self.out / "embeddings.npy")
        names = ("embeddings.npy", "receipts.jsonl", "journal.sqlite", "manifest.json", "failed.jsonl", "run.json",
                 "embeddings.npy.partial", "journal.sqlite-wal")
        for command in (*self.commands(), attest):
            places = [*(self.out / name for name in names), "out/../out/receipts.jsonl", "there/./ids.jsonl", "link.npy"]
            for place in places:
                done = self.run_program(*command, "-o", place, service=self.service, code=2, cwd=self.folder)
                self.assertIn("name another file", done.err, (command, place))
        self.run_program("keys", "rotate", "--save", self.out / "cached.jsonl", service=self.service, code=2)
        for command in (("embed", self.lines, "-o", self.folder / "next"), ("verify", self.out, "--learn-pins"), attest):
            more = ("-o", self.folder / "attested.jsonl") if command is attest else ()
            self.run_program(*command, *more, "--pins", self.out / "manifest.json", service=self.service, code=2)
        self.assertEqual(self.content(self.out), before)
        self.assertFalse((self.folder / "attested.jsonl").exists())
        self.run_program("export", self.out, "--format", "fbin", "-o", self.out / "rows.fbin")

    def test_what_is_left_out_has_its_file_checked_too(self):
        (self.folder / "rows.fbin.ids.jsonl").symlink_to("out/ids.jsonl")
        self.run_program("export", self.out, "--format", "fbin", "--skip-failed", "-o", self.folder / "rows.fbin", code=2)
        self.assertFalse((self.folder / "rows.fbin").exists())

    def test_a_finished_folder_without_its_journal_is_kept(self):
        for path in self.out.glob("journal.sqlite*"):
            path.unlink()
        self.run_program("export", self.out, "--format", "fbin", "-o", self.out / "embeddings.npy", code=2)

    def test_files_of_those_names_may_be_anywhere_else(self):
        job = self.service.submit(corpus(3))
        self.run_program("job", "wait", job, service=self.service)
        for _ in range(2):
            self.run_program("job", "output", job, "-o", self.folder / "embeddings.npy", service=self.service)
        self.assertEqual(numpy.load(self.folder / "embeddings.npy").shape[0], 3)
        lines = self.write_lines(corpus(3), "three.txt")
        for _ in range(2):
            self.run_program("attest", lines, "--npy", self.folder / "embeddings.npy", "-o", self.folder / "receipts.jsonl",
                             service=self.service)

    def test_an_input_is_not_written_over(self):
        before = self.lines.read_bytes()
        (self.folder / "link.txt").symlink_to("corpus.txt")
        for place in (self.lines, "./corpus.txt", "link.txt"):
            done = self.run_program("attest", "corpus.txt", "--npy", self.out / "embeddings.npy", "-o", place,
                                    service=self.service, code=2, cwd=self.folder)
            self.assertIn("which this command reads", done.err)
        self.assertEqual(self.lines.read_bytes(), before)

    def test_a_cache_is_no_output_folder(self):
        cache = self.folder / "cache"
        self.run_program("embed", self.lines, "-o", self.folder / "cached", "--cache", cache, service=self.service)
        before = self.content(cache)
        for command in (("embed", self.lines), ("plan", self.lines)):
            done = self.run_program(*command, "-o", cache, service=self.service, code=2)
            self.assertIn("is a cache", done.err)
        # Not even a copy of standard input is made in it.
        done = self.run_program("embed", "-", "-o", cache, service=self.service, stdin=b"one\n", code=2)
        self.assertIn("is a cache", done.err)
        for name in ("rows.sqlite", "rows.f32", "lock"):
            self.run_program("export", self.out, "--format", "fbin", "-o", cache / name, code=2)
        self.assertEqual(self.content(cache), before)

    def test_a_cache_is_not_in_an_output_folder(self):
        new = self.folder / "new"
        (self.folder / "link").symlink_to("out")
        for folder, cache, why in ((new, new / "sub", "is in the output folder of this command"),
                                   (new, "new/sub/../far/cache", "is in the output folder of this command"),
                                   (new, self.out / "x", "is in an output folder"),
                                   (new, "link/x/y", "is in an output folder")):
            for command in ("embed", "plan"):
                done = self.run_program(command, self.lines, "-o", folder, "--cache", cache, service=self.service, code=2,
                                        cwd=self.folder)
                self.assertIn(why, done.err, (folder, cache))
        self.assertFalse(new.exists())
        self.assertFalse((self.out / "x").exists())

    def test_a_file_is_no_cache(self):
        for cache in (self.lines, self.lines / "in-it"):
            for command in (("embed", self.lines, "-o", self.folder / "next"), ("plan", self.lines)):
                done = self.run_program(*command, "--cache", cache, service=self.service, code=2)
                self.assertIn("a cache is a folder", done.err)
        self.assertFalse((self.folder / "next").exists())

    def limited(self, blocks, *arguments, extra=None):
        """The program under `ulimit -f`, which counts blocks of 1024 bytes."""
        own = {"XDG_STATE_HOME": str(self.folder / "state")}
        script = f'ulimit -f {blocks}; exec "$0" "$@"'
        done = subprocess.run(["bash", "-c", script, PROGRAM, *map(str, arguments)], stdin=subprocess.DEVNULL,
                              capture_output=True, text=True, timeout=60,
                              env=clean_environment(own | self.service.environment() | (extra or {})))
        self.transcript += [done.stdout, done.stderr]
        return done

    def test_duplicates_are_found_where_files_are_limited_in_size(self):
        lines = self.write_lines(corpus(20) * 3, "thrice.txt")
        for name, extra in (("on-disk", {}), ("in-memory", {"TMPDIR": "/nonexistent"})):
            plan = self.limited(300, "plan", lines, "--json", extra=extra)
            self.assertEqual(plan.returncode, 0, plan.stderr)
            self.assertIn('"rows_duplicate":40', plan.stdout)
            done = self.limited(300, "embed", lines, "-o", self.folder / name, "--json", extra=extra)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn('"rows_duplicate":40', done.stdout)
            self.assertNotIn("duplicates_not_found", done.stderr)

    def test_a_cache_names_the_limit_on_file_sizes(self):
        done = self.limited(8, "embed", self.lines, "-o", self.folder / "next", "--cache", self.folder / "cache")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("ulimit -f", done.stderr)

    def test_pins_go_where_their_link_leads(self):
        (self.folder / "link.json").symlink_to("kept/pins.json")
        for name in ("made", "replaced"):
            self.run_program("embed", self.lines, "-o", self.folder / name, "--verify", "offline", "--pins",
                             self.folder / "link.json", service=self.service)
            self.assertTrue((self.folder / "link.json").is_symlink())
            self.assertIn("vembed_pins", (self.folder / "kept" / "pins.json").read_text(encoding="utf-8"))
            (self.folder / "kept" / "pins.json").write_text('{"vembed_pins":1,"accounts":{}}', encoding="utf-8")

    def test_duplicates_are_found_without_a_temporary_folder(self):
        lines = self.write_lines(corpus(10) * 3, "thrice.txt")
        nowhere = {"TMPDIR": "/nonexistent"}
        plan = self.run_program("plan", lines, "--json", service=self.service, extra=nowhere).object("plan")
        self.assertEqual(plan["rows_duplicate"], 20)
        out = self.folder / "thrice"
        report = self.run_program("embed", lines, "-o", out, "--json", service=self.service, extra=nowhere).object("report")
        self.assertEqual((report["rows_done"], report["rows_duplicate"]), (30, 20))
        self.assertEqual(numpy.load(out / "embeddings.npy").shape[0], 30)
        self.assertFalse([path for path in out.iterdir() if "dedup" in path.name])


if __name__ == "__main__":
    unittest.main()
