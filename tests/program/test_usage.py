"""Command lines, help, exit codes and keys."""

import unittest

from harness import ProgramTest, corpus


class Usage(ProgramTest):
    def test_help_and_version(self):
        text = self.run_program("--help").out
        for word in ("embed", "verify", "serve", "CYBERIAN_API_KEY", "Exit status", "Examples"):
            self.assertIn(word, text)
        self.assertRegex(self.run_program("--version").out, r"^vembed \d+\.\d+\.\d+\n$")
        for command in ("embed", "plan", "verify", "serve", "job", "receipt", "models", "account", "keys"):
            self.assertIn(command, self.run_program(command, "--help").out)

    def test_senseless_command_lines(self):
        for arguments in ([], ["fly"], ["embed"], ["embed", "x"], ["models", "--log-level", "loud"],
                          ["embed", "x", "-o", "y", "--on-unknown", "resubmit"]):
            done = self.run_program(*arguments, code=2)
            self.assertEqual(done.out, "")
            self.assertIn("--help", done.err)

    def test_a_key_on_the_command_line_is_refused(self):
        done = self.run_program("models", "--api-key", "cyb_0123456789abcdef", code=2)
        self.assertIn("CYBERIAN_API_KEY", done.err)
        self.assertNotIn("cyb_0123456789abcdef", done.err + done.out)

    def test_no_key_malformed_key_wrong_key(self):
        service = self.serve()
        where = {"CYBERIAN_BASE_URL": service.base_url}
        self.assertIn("CYBERIAN_API_KEY", self.run_program("models", extra=where, code=4).err)
        for key in ("sk-123456", "cyb_with space", ""):
            done = self.run_program("models", extra=where | {"CYBERIAN_API_KEY": key}, code=4)
            self.assertNotIn("with space", done.err)
        done = self.run_program("models", "--json", extra=where | {"CYBERIAN_API_KEY": "cyb_wrong0000"}, code=4)
        self.assertEqual(done.object("failure")["kind"], "unauthorized")
        self.assertNotIn("cyb_wrong0000", done.out + done.err)
        lines = self.write_lines(corpus(3))
        self.run_program("embed", lines, "-o", self.folder / "out",
                         extra=where | {"CYBERIAN_API_KEY": "cyb_wrong0000"}, code=4)

    def test_key_from_a_file(self):
        service = self.serve()
        path = self.folder / "key"
        path.write_text(service.api_key + "\n", encoding="ascii")
        self.run_program("models", "--api-key-file", path, "--base-url", service.base_url)
        self.run_program("models", "--api-key-file", self.folder / "none", "--base-url", service.base_url, code=4)

    def test_plain_http_to_another_machine_is_refused(self):
        done = self.run_program("models", extra={"CYBERIAN_BASE_URL": "http://192.0.2.1",
                                                 "CYBERIAN_API_KEY": "cyb_0123456789abcdef"}, code=2)
        self.assertIn("https", done.err)

    def test_no_service_there(self):
        lines = self.write_lines(corpus(3))
        done = self.run_program("plan", lines, extra={"CYBERIAN_BASE_URL": "http://127.0.0.1:1",
                                                      "CYBERIAN_API_KEY": "cyb_0123456789abcdef"}, code=1)
        self.assertIn("network", done.err)
        self.assertIn("rows", done.out)


if __name__ == "__main__":
    unittest.main()
