"""The documents name the program's options as its help does."""

import functools
import pathlib
import re
import shlex
import subprocess
import unittest

import harness

ROOT = pathlib.Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "program.md"
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "docs/library").glob("*.md"))]

OPTION_LINE = re.compile(r"^ {2,4}(-[\w-]+(?:,-[\w-]+)*)(.*)$")
SUBCOMMAND_LINE = re.compile(r"^  ([a-z][a-z-]*)  +\S")
WRITTEN_OPTION = re.compile(r"(?<![\w-])--[a-z][a-z0-9-]*")
DEFAULT = re.compile(r" [A-Z]+(?::\{[^}]*\}|:[A-Z]+ in \[[^\]]*\])?=(\S+)")  # As in " N:INT in [1 - 1000]=1000".
SHELL_BLOCK = re.compile(r"^```sh\n(.*?)^```", re.MULTILINE | re.DOTALL)
SHARED = "Options of many commands"
# Options that documents name for other programs than vembed.
OF_OTHERS = {"--install"}


class Command:
    """What one command's help tells."""

    def __init__(self, path, text):
        self.path = path
        self.options = {}  # Each name; its default, empty where the help shows none.
        self.subcommands = []
        section = ""
        for line in text.splitlines():
            section, inside = self.section_of(section, line)
            if not inside:
                continue
            option, subcommand = OPTION_LINE.match(line), SUBCOMMAND_LINE.match(line)
            if section == "options" and option:
                default = DEFAULT.match(option.group(2))
                for name in option.group(1).split(","):
                    self.options[name] = default.group(1) if default else ""
            elif section == "subcommands" and subcommand:
                self.subcommands.append(subcommand.group(1))

    @staticmethod
    def section_of(section, line):
        """The section that a line is in, and whether the line is one of its entries."""
        head = line.strip()
        if head in ("Options:", "Subcommands:"):
            return head[:-1].lower(), False
        if line and not line.startswith(" "):
            return "", False
        return section, bool(section)


@functools.cache
def sections():
    """The reference's text by its second-level headings."""
    parts = re.split(r"^## (.*)\n", REFERENCE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2]))


def own_section(path):
    """What the reference says of a command alone."""
    return "".join(text for head, text in sections().items() if path and path[0] in re.split(r",\s*", head))


def help_of(path):
    done = subprocess.run([harness.PROGRAM, *path, "--help"], capture_output=True, text=True, timeout=harness.LIMIT_S,
                          env=harness.clean_environment(), check=True)
    return Command(path, done.stdout)


@functools.cache
def commands():
    """All commands by their words, () being the program."""
    found, open_paths = {}, [()]
    while open_paths:
        command = help_of(open_paths.pop())
        found[command.path] = command
        open_paths += [(*command.path, name) for name in command.subcommands]
    return found


def shell_commands(text):
    """The commands of the shell blocks whose lines begin with `vembed `, continued lines put together."""
    for block in SHELL_BLOCK.findall(text):
        for line in block.replace("\\\n", " ").splitlines():
            if line.startswith("vembed "):
                yield line


def words_of(line):
    """The words of the first command of a line."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|&;<>()")
    lexer.whitespace_split = True
    words = []
    for word in lexer:
        if set(word) <= set("|&;<>()"):
            break
        words.append(word)
    return words


def fault_of(line):
    """Why a command line would be refused; empty: it would not."""
    words = words_of(line)[1:]
    if words[:1] == ["help"]:
        words = words[1:]
    path = ()
    while words and (*path, words[0]) in commands():
        path, words = (*path, words[0]), words[1:]
    command = commands()[path]
    if command.subcommands and not (words and words[0].startswith("-")):
        return f"no such command: {line}"
    for word in words:
        name = word.split("=")[0]
        if word.startswith("-") and word != "-" and name not in command.options:
            return f"`vembed {' '.join(path)}` has no {name}: {line}"
    return ""


class Documents(unittest.TestCase):
    def test_the_help_is_read(self):
        """What the other tests rest on: commands, options with several names, option groups, defaults."""
        self.assertIn(("receipt", "check"), commands())
        self.assertGreater(len(commands()), 20)
        self.assertIn("--version", commands()[()].options)
        embed, prove = commands()[("embed",)].options, commands()[("prove",)].options
        self.assertEqual([embed[name] for name in ("-o", "--output", "--rows-per-job", "--verify", "--json")],
                         ["", "", "1000", "receipt", ""])
        self.assertIn("--row", prove)
        self.assertIn("--id", prove)

    def test_every_option_is_in_the_reference(self):
        """In the command's section or that of many commands, in a row with its default."""
        intro = REFERENCE.read_text(encoding="utf-8").split("## ")[0]
        for path, command in sorted(commands().items()):
            text = own_section(path) + sections()[SHARED] + ("" if path else intro)
            for name, default in command.options.items():
                with self.subTest(command=" ".join(path), option=name):
                    own = re.compile(rf"(?:`| ){name}[ `]")
                    rows = [line for line in text.splitlines() if own.search(line)]
                    self.assertTrue(rows, "not in the reference")
                    told = re.compile(rf"(?<![\w.-]){re.escape(default)}(?![\w.-])")
                    self.assertTrue(any(told.search(row) for row in rows), f"the default {default} is not told")

    def test_the_options_of_a_section_are_the_commands(self):
        """What a section's tables have in their option column."""
        for head, text in sections().items():
            chosen = {name for path, command in commands().items() if path and path[0] in re.split(r",\s*", head)
                      for name in command.options}
            for cells in re.findall(r"^\| (.*) \|$", text, re.MULTILINE) if chosen else []:
                for name in WRITTEN_OPTION.findall("".join(cells.split(" | ")[:2])):
                    with self.subTest(section=head, option=name):
                        self.assertIn(name, chosen)

    def test_every_command_is_in_the_reference(self):
        text = REFERENCE.read_text(encoding="utf-8")
        for path in commands():
            if path:
                with self.subTest(command=" ".join(path)):
                    self.assertRegex(text, rf"`(?:vembed )?(?:{path[0]} \S*)?{path[-1]}\b")

    def test_every_written_option_exists(self):
        known = {name for command in commands().values() for name in command.options} | OF_OTHERS
        for document in DOCUMENTS:
            text = document.read_text(encoding="utf-8")
            # Other programs' options are in shell blocks, whose lines are looked at below.
            outside = SHELL_BLOCK.sub("", text) if document != REFERENCE else text
            for name in sorted(set(WRITTEN_OPTION.findall(outside))):
                with self.subTest(document=document.name, option=name):
                    self.assertIn(name, known)

    def test_every_shell_line_parses(self):
        seen = 0
        for document in DOCUMENTS:
            for line in shell_commands(document.read_text(encoding="utf-8")):
                with self.subTest(document=document.name, line=line):
                    seen += 1
                    self.assertEqual(fault_of(line), "")
        self.assertGreater(seen, 15)

    def test_a_wrong_line_is_found(self):
        for line, fault in (("vembed embed a.txt -o out --no-such", "has no --no-such"),
                            ("vembed verify out --rows-per-job 3", "has no --rows-per-job"),
                            ("vembed fly out", "no such command"), ("vembed job fly", "no such command")):
            self.assertIn(fault, fault_of(line))
        for line in ("vembed embed - -o out  # --no-such", "vembed --version", "vembed help embed",
                     "vembed receipt get r-1 | other --no-such", "vembed serve --faults=drop=0.1"):
            self.assertEqual(fault_of(line), "", line)
