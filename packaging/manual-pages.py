#!/usr/bin/python3
"""Manual pages from what the program says of itself by --help: one source for both.

Usage: manual-pages.py PROGRAM FOLDER    writes comity.1, comity-serve.8 and comity.conf.5
The date in the pages is that of SOURCE_DATE_EPOCH; without it there is none."""
import os
import re
import subprocess
import sys
import time


def say(program, *words):
    return subprocess.run([program, *words, "--help"], check=True, capture_output=True, text=True).stdout


def roff(text):
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga").replace("^", "\\(ha").replace("~", "\\(ti")
    return re.sub(r"^\.", r"\\&.", text)


class Help:
    """The parts of a command's help: summary, usage lines, paragraphs, items [(term, meaning)], example lines."""

    def __init__(self, text):
        head, _, rest = text.partition("\n\n")
        self.summary = head.split(" - ", 1)[1]
        blocks = [b.split("\n") for b in rest.strip("\n").split("\n\n")]
        self.usage, self.blocks, self.example = [], [], []
        while blocks and blocks[0][0].startswith("comity"):
            self.usage += blocks.pop(0)
        for lines in blocks:
            if lines[0].startswith("Example:"):
                self.example = [line.removeprefix("  ") for line in lines[1:]]
            elif self.example:
                self.example += [""] + [line.removeprefix("  ") for line in lines]
            else:
                self.blocks.append(lines)

    def example_roff(self):
        return [".EX", *map(roff, self.example), ".EE"]

    def usage_roff(self):
        return [".EX", *map(roff, self.usage), ".EE"]

    def body_roff(self):
        out = []
        for lines in self.blocks:
            if re.match(r"  \S", lines[0]):
                for line in lines:
                    if line.startswith("      "):
                        out.append(roff(line.strip()))
                    else:
                        out += [".TP", ".B " + roff(line.strip())]
            elif any(re.search(r"\S {3,}\S", line) for line in lines):
                out += [".PP", ".EX", *map(roff, lines), ".EE"]
            else:
                out += [".PP", *map(roff, lines)]
        return out


def page(name, section, version, title, body):
    epoch = os.environ.get("SOURCE_DATE_EPOCH")
    date = time.strftime("%Y-%m-%d", time.gmtime(int(epoch))) if epoch else ""
    head = [f'.TH {name.upper()} {section} "{date}" "{version}" "Comity"', ".SH NAME", f"{roff(name)} \\- {roff(title)}"]
    return "\n".join(head + body) + "\n"


def main():
    program, folder = sys.argv[1:]
    overview = say(program)
    version = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout.strip().replace("comity", "Comity")
    names = re.findall(r"^  ([a-z]+) +\S", overview.partition("Example:")[0], re.M)
    commands = {name: Help(say(program, name)) for name in names}
    title = overview.split("\n")[0].split(" - ", 1)[1]
    usage = re.search(r"^usage: (.*)$", overview, re.M).group(1)
    codes = re.search(r"^Exit codes: (.*)$", overview, re.M).group(1).rstrip(".")

    body = [".SH SYNOPSIS", f".B {roff(usage)}", ".SH DESCRIPTION",
            ".B \\-C", "names the node's folder, by default the one in which the command runs.", ".B \\-\\-json",
            "gives answers and errors as JSON.", "Every command has", ".BR \\-\\-help ."]
    body += [".SH COMMANDS"]
    for name in names:
        command = commands[name]
        body += [f".SS {roff(name)}: {roff(command.summary)}", *command.usage_roff()]
        body += [".PP", "See", ".BR comity\\-serve (8)", "and", ".BR comity.conf (5)."] if name == "serve" else command.body_roff()
        body += [".PP", "Example:", ".PP", *command.example_roff()]
    body += [".SH EXIT STATUS"]
    for code in codes.split(", "):
        number, meaning = code.split(" ", 1)
        body += [".TP", f".B {number}", roff(meaning)]
    body += [".SH SEE ALSO", ".BR comity\\-serve (8),", ".BR comity.conf (5)"]
    pages = {"comity.1": page("comity", 1, version, title, body)}

    serve = commands["serve"]
    paragraphs = [b for b in serve.blocks if not b[0].startswith("  ")]
    items = [b for b in serve.blocks if b[0].startswith("  ")]
    serve.blocks = paragraphs
    pages["comity-serve.8"] = page("comity-serve", 8, version, serve.summary, [
        ".SH SYNOPSIS", ".B comity \\-C", ".I DIR", ".B serve", ".SH DESCRIPTION", *serve.body_roff()[1:], ".PP", "The keys are described in",
        ".BR comity.conf (5).", ".SH EXAMPLES", *serve.example_roff(), ".SH SEE ALSO", ".BR comity (1),", ".BR comity.conf (5)"])
    serve.blocks = items
    pages["comity.conf.5"] = page("comity.conf", 5, version, "configuration of a Comity node", [
        ".SH SYNOPSIS", ".I DIR\\c", ".B /comity.conf", ".SH DESCRIPTION", "One", ".I key = value", "a line.",
        "A line that begins with # is a comment; an unknown key is an error.", *serve.body_roff(), ".SH SEE ALSO", ".BR comity (1),",
        ".BR comity\\-serve (8)"])
    for name, text in pages.items():
        with open(os.path.join(folder, name), "w", encoding="utf-8") as out:
            out.write(text)


main()
