"""`sealtape age` and Debian's age understand each other, and neither lets out what is not genuine."""

import os
import pathlib
import pty
import re
import select
import stat
import subprocess
import time

import harness
from harness import tap

SEALTAPE = [harness.program("sealtape"), "age"]
AGE = ["age"]
CHUNK = 65536
SIZES = [0, 1, 65535, 65536, 65537, 10 * 1024 * 1024]
PASSPHRASE = "twenty years"


# --- running ----------------------------------------------------------------------------------------------


def run(argv, given=b""):
    return subprocess.run([str(word) for word in argv], input=given, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, timeout=120)


def run_on_terminal(argv, answers, out_of_terminal=True):
    """Runs with a terminal of its own and types each answer when it is asked for something.

    Returns the exit status, what stood on the terminal, and standard output if that is not the terminal too."""
    reading, writing = os.pipe()
    child, terminal = pty.fork()
    if child == 0:
        if out_of_terminal:
            os.dup2(writing, 1)
        os.close(reading)
        os.execvp(str(argv[0]), [str(word) for word in argv])
    os.close(writing)
    shown, out, answers = b"", b"", list(answers)
    ends = {terminal, reading}
    deadline = time.monotonic() + 60
    while ends and time.monotonic() < deadline:
        for end in select.select(ends, [], [], 1)[0]:
            try:
                got = os.read(end, 65536)
            except OSError:  # the terminal's other side is closed
                got = b""
            if not got:
                ends.discard(end)
            elif end == reading:
                out += got
            else:
                shown += got
                if answers and re.search(rb": $", shown):
                    # age draws its prompt before it hides what is typed.
                    time.sleep(0.05)
                    os.write(terminal, answers.pop(0).encode() + b"\n")
                    shown += b"\n"
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    os.close(terminal)
    os.close(reading)
    return status, shown, out


def pattern(n_bytes):
    return (b"".join(i.to_bytes(4, "big") for i in range(n_bytes // 4 + 1)))[:n_bytes]


def keygen(folder, name):
    path = folder / name
    made = run(["age-keygen", "-o", path])
    assert made.returncode == 0, made.stderr
    return path, run(["age-keygen", "-y", path]).stdout.decode().strip()


def opens(program, identity, sealed, plain, name):
    got = run(program + ["-d", "-i", identity], sealed)
    return tap.ok(got.returncode == 0 and got.stdout == plain, name, got.stderr.decode())


def refuses(got, name, released=b""):
    """One sentence, status 1, and nothing let out but `released`."""
    said = got.stderr.decode()
    return tap.ok(got.returncode == 1 and got.stdout == released and said.startswith("sealtape: ")
                  and said.count("\n") == 1, name, f"status {got.returncode}, {len(got.stdout)} bytes out", said)


# --- both ways --------------------------------------------------------------------------------------------


def test_sizes(folder):
    identity, recipient = keygen(folder, "key")
    for size in SIZES:
        plain = pattern(size)
        source = folder / "plain"
        source.write_bytes(plain)
        for armor in ([], ["-a"]):
            kind = f"{size} bytes, {'armoured' if armor else 'binary'}"
            ours = run(SEALTAPE + ["-r", recipient] + armor, plain).stdout
            opens(AGE, identity, ours, plain, f"age opens ours: {kind}")
            opens(SEALTAPE, identity, ours, plain, f"we open ours: {kind}")
            theirs = run(AGE + ["-r", recipient] + armor, plain).stdout
            opens(SEALTAPE, identity, theirs, plain, f"we open age's: {kind}")
            sealed, opened = folder / "sealed", folder / "opened"
            run(SEALTAPE + ["encrypt", "-r", recipient, "-o", sealed] + armor + [source])
            run(SEALTAPE + ["decrypt", "-i", identity, "-o", opened, sealed])
            tap.equal(opened.read_bytes() == plain, True, f"through files: {kind}")
        tap.equal(len(ours.splitlines()[1]) <= 64, True, f"armour has 64 columns: {size} bytes")


def test_recipients(folder):
    keys = [keygen(folder, f"key{i}") for i in range(5)]
    listed = folder / "recipients"
    listed.write_text("# the last three\n\n" + "\n".join(recipient for _, recipient in keys[2:]) + "\n")
    plain = b"for five\n"
    words = ["-r", keys[0][1], "-i", str(keys[1][0]), "-R", str(listed)]
    for sealer, opener, way in ((SEALTAPE, AGE, "age opens ours"), (AGE, SEALTAPE, "we open age's")):
        sealed = run(sealer + ["-e"] + words, plain).stdout
        for i, (identity, _) in enumerate(keys):
            opens(opener, identity, sealed, plain, f"{way}: recipient {i} of 5")
    stranger, _ = keygen(folder, "stranger")
    refuses(run(SEALTAPE + ["-d", "-i", stranger], sealed), "a stranger does not open it")
    both = run(SEALTAPE + ["-d", "-i", stranger, "-i", keys[3][0]], sealed)
    tap.equal(both.stdout, plain, "one fitting identity among several is enough")


def test_passphrase(folder):
    source = folder / "plain"
    source.write_bytes(pattern(100000))
    for sealer, opener, way in ((SEALTAPE, AGE, "age opens ours"), (AGE, SEALTAPE, "we open age's"),
                                (SEALTAPE, SEALTAPE, "we open ours")):
        sealed = folder / "sealed"
        sealed.unlink(missing_ok=True)
        run_on_terminal(sealer + ["-p", "-a", "-o", sealed, source], [PASSPHRASE, PASSPHRASE])
        status, shown, out = run_on_terminal(opener + ["-d", sealed], [PASSPHRASE])
        tap.ok(status == 0 and out == source.read_bytes(), f"passphrase, {way}", shown)
        tap.ok(PASSPHRASE.encode() not in shown, f"passphrase is not shown: {way}")
    status, shown, out = run_on_terminal(SEALTAPE + ["-d", sealed], ["another"])
    tap.ok(status == 1 and out == b"" and b"passphrase is wrong" in shown, "wrong passphrase is refused", shown)
    status, shown, _ = run_on_terminal(SEALTAPE + ["-p", "-o", folder / "x", source], ["one", "two"])
    tap.ok(status == 1 and not (folder / "x").exists() and b"differ" in shown, "two different ones are refused", shown)
    status, shown, _ = run_on_terminal(SEALTAPE + ["-p", "-o", folder / "drawn", source], [""])
    drawn = re.search(rb"Using the passphrase: ([a-z0-9-]+)", shown).group(1).decode()
    status, shown, out = run_on_terminal(AGE + ["-d", folder / "drawn"], [drawn])
    tap.ok(status == 0 and out == source.read_bytes(), "age opens with the passphrase that was drawn", shown)
    no_terminal = subprocess.run(["setsid"] + SEALTAPE + ["-d", sealed], stdin=subprocess.DEVNULL,
                                 capture_output=True, timeout=60)
    refuses(no_terminal, "without a terminal a passphrase can not be asked for")


def test_sealed_identity(folder):
    identity, recipient = keygen(folder, "key")
    sealed = run(AGE + ["-r", recipient], b"hello").stdout
    (folder / "sealed").write_bytes(sealed)
    for sealer, armor in ((AGE, []), (AGE, ["-a"]), (SEALTAPE, ["-a"])):
        locked = folder / "locked"
        locked.unlink(missing_ok=True)
        run_on_terminal(sealer + ["-p", "-o", locked] + armor + [identity], [PASSPHRASE, PASSPHRASE])
        status, shown, out = run_on_terminal(SEALTAPE + ["-d", "-i", locked, folder / "sealed"], [PASSPHRASE])
        tap.ok(status == 0 and out == b"hello", f"identity file sealed by {sealer[-1]} {armor} to a passphrase", shown)


def test_keygen(folder):
    ours = folder / "ours"
    made = run(SEALTAPE + ["keygen", "-o", ours])
    recipient = run(["age-keygen", "-y", ours]).stdout.decode().strip()
    tap.equal(made.stderr.decode(), f"Public key: {recipient}\n", "age-keygen reads our identity file")
    tap.equal(stat.S_IMODE(ours.stat().st_mode), 0o600, "only its owner may read it")
    before = ours.read_bytes()
    refuses(run(SEALTAPE + ["keygen", "-o", ours]), "keygen overwrites nothing")
    tap.equal(ours.read_bytes(), before, "and the key is still there")
    theirs, of_theirs = keygen(folder, "theirs")
    tap.equal(run(SEALTAPE + ["keygen", "-y", theirs]).stdout.decode(), of_theirs + "\n", "we read age-keygen's")
    lines = run(SEALTAPE + ["keygen"]).stdout.decode().splitlines()
    tap.ok(len(lines) == 3 and lines[1].startswith("# public key: age1") and lines[2].startswith("AGE-SECRET-KEY-1"),
           "keygen writes to standard output", lines[:2])
    os.chmod(theirs, 0o644)
    got = run(SEALTAPE + ["-d", "-i", theirs], run(AGE + ["-r", of_theirs], b"hello").stdout)
    tap.ok(got.returncode == 0 and got.stdout == b"hello" and b"warning" in got.stderr and b"0644" in got.stderr,
           "a key that others may read is used, with a warning", got.stderr)


def test_seek(folder):
    seek = next(path for path in (pathlib.Path(os.environ.get("SEALTAPE_BIN_DIR", "."), place, "age_seek")
                                  for place in ("", "tests")) if path.is_file())
    identity, recipient = keygen(folder, "key")
    plain, sealed = pattern(5 * CHUNK + 77), folder / "sealed"
    sealed.write_bytes(run(AGE + ["-r", recipient], plain).stdout)
    for offset, n_bytes in ((0, 1), (CHUNK - 1, 2), (4 * CHUNK, CHUNK + 77), (5 * CHUNK + 76, 1), (0, len(plain))):
        got = run([seek, identity, sealed, offset, n_bytes])
        tap.equal(got.stdout == plain[offset:offset + n_bytes], True, f"{n_bytes} bytes at {offset} of age's file")
    sealed.write_bytes(sealed.read_bytes()[:-93])  # the last chunk
    tap.equal(run([seek, identity, sealed, 0, 1]).returncode, 1, "nothing is read from a file that was cut")


# --- hostile ----------------------------------------------------------------------------------------------


def test_every_byte(folder):
    """Of the binary form each byte. Armour is opened before all that, so a fifth will do; the units flip each bit, and cut both everywhere."""
    identity, recipient = keygen(folder, "key")
    for armor, step in ([], 1), (["-a"], 5):
        sealed = run(AGE + ["-r", recipient] + armor, b"hello").stdout
        wrong = []
        for at in range(0, len(sealed), step):
            changed = bytearray(sealed)
            changed[at] ^= 1 << at % 8
            got = run(SEALTAPE + ["-d", "-i", identity], bytes(changed))
            if got.returncode != 1 or got.stdout or not got.stderr.startswith(b"sealtape: "):
                wrong.append(at)
        # The last newline of an armour may be any white space.
        allowed = [len(sealed) - 1] if armor else []
        tap.equal([at for at in wrong if at not in allowed], [], f"every changed byte is refused, {armor or 'binary'}")
        cut = [n for n in range(0, len(sealed) - len(allowed), step)
               if run(SEALTAPE + ["-d", "-i", identity], sealed[:n]).stdout != b""]
        tap.equal(cut, [], f"every cut is refused, {armor or 'binary'}")


def test_chunks(folder):
    identity, recipient = keygen(folder, "key")
    plain = pattern(3 * CHUNK + 1000)
    sealed = run(AGE + ["-r", recipient], plain).stdout
    start = len(sealed) - len(plain) - 4 * 16
    head, chunks = sealed[:start], [sealed[start + i * (CHUNK + 16):start + (i + 1) * (CHUNK + 16)] for i in range(4)]
    rows = {"0123": None, "1023": 0, "0132": 2, "123": 0, "013": 2, "012": 2, "01": 1, "0": 0, "": 0, "00123": 1,
            "01223": 3, "01233": 3, "3012": 0, "01230123": 3}
    for order, n_genuine in rows.items():
        changed = head + b"".join(chunks[int(number)] for number in order)
        got = run(SEALTAPE + ["-d", "-i", identity], changed)
        if n_genuine is None:
            tap.equal(got.stdout == plain, True, "chunks in order open")
            continue
        refuses(got, f"chunks {order or 'none'} of 0123: only {n_genuine} come out", plain[:n_genuine * CHUNK])
        opened = folder / "opened"
        (folder / "changed").write_bytes(changed)
        run(SEALTAPE + ["-d", "-i", identity, "-o", opened, folder / "changed"])
        tap.equal([path.name for path in folder.iterdir() if path.name not in ("key", "changed")], [],
                  f"chunks {order or 'none'}: no file is left behind")


def test_malformed_headers(folder):
    identity, recipient = keygen(folder, "key")
    sealed = run(AGE + ["-r", recipient], b"hello").stdout
    share, body = re.match(rb"age-encryption.org/v1\n-> X25519 (\S+)\n(\S+)\n", sealed).groups()
    rows = {
        "CR LF": sealed.replace(b"\n", b"\r\n", 3),
        "version": sealed.replace(b"/v1", b"/v2"),
        "space before arguments": sealed.replace(b"-> X", b"->  X"),
        "space behind arguments": sealed.replace(share, share + b" "),
        "one more argument": sealed.replace(share, share + b" x"),
        "no argument": sealed.replace(b" " + share, b""),
        "padded share": sealed.replace(share, share + b"="),
        "padded body": sealed.replace(body, body + b"="),
        "body on two lines": sealed.replace(body, body[:20] + b"\n" + body[20:]),
        "long body line": sealed.replace(body, body + body),
        "no body": sealed.replace(body + b"\n", b""),
        "low order share": sealed.replace(share, b"A" * 43),
        "lower case type": sealed.replace(b"X25519", b"x25519"),
        "stanza twice": sealed.replace(b"-> X", b"-> X25519 " + share + b"\n" + body + b"\n-> X"),
        "unknown stanza added": sealed.replace(b"-> X", b"-> grease\n\n-> X"),
        "MAC cut": re.sub(rb"(--- .{42}).", rb"\1", sealed),
        "MAC replaced": re.sub(rb"--- .{42}", b"--- " + b"A" * 42, sealed),
        "no MAC": re.sub(rb"--- .{43}", b"---", sealed),
        "no stanza": re.sub(rb"-> (.*\n){2}", b"", sealed),
        "empty": b"",
        "text": b"hello, world\n",
    }
    for name, changed in rows.items():
        got = run(SEALTAPE + ["-d", "-i", identity], changed)
        refuses(got, f"malformed header: {name}")
        tap.equal(run(AGE + ["-d", "-i", identity], changed).returncode, 1, f"age refuses it too: {name}")


# --- a person at the keyboard -----------------------------------------------------------------------------


def test_terminal(folder):
    identity, recipient = keygen(folder, "key")
    (folder / "text").write_bytes(b"hello\n")
    (folder / "sealed").write_bytes(run(AGE + ["-r", recipient], b"hello\n").stdout)
    (folder / "binary").write_bytes(run(AGE + ["-r", recipient], b"\x1b[2J\0").stdout)
    rows = (
        (["-r", recipient, folder / "text"], 1, b"terminal", "binary is not written to a terminal"),
        (["-a", "-r", recipient, folder / "text"], 0, b"-----END", "armour is"),
        (["-d", "-i", identity, folder / "sealed"], 0, b"hello", "text is"),
        (["-d", "-i", identity, folder / "binary"], 1, b"terminal", "control characters are not"),
        (["-d", "-i", identity, "-o", "-", folder / "binary"], 0, b"\x1b[2J", "unless asked for with -o -"),
    )
    for words, wanted, part, name in rows:
        status, shown, _ = run_on_terminal(SEALTAPE + words, [], out_of_terminal=False)
        tap.ok(status == wanted and part in shown, name, status, shown)


def test_usage(folder):
    identity, recipient = keygen(folder, "key")
    wrong = (["-x"], [], ["-d", "-e", "-i", identity], ["-i", identity], ["-d", "-r", recipient], ["-d", "-p"],
             ["-d", "-a"], ["-p", "-r", recipient], ["keygen", "x"], ["keygen", "-r", recipient], ["encrypt"],
             ["-r", recipient, "a", "b"], ["decrypt", "-e"], ["-y", "-r", recipient])
    for words in wrong:
        got = run(SEALTAPE + words)
        tap.ok(got.returncode == 2 and got.stdout == b"" and got.stderr.startswith(b"sealtape: "),
               f"wrong usage: {' '.join(str(word)[-10:] for word in words)}", got.stderr)
    cases = {
        "recipient": ["-r", "age1xyz"],
        "identity for a recipient": ["-r", identity.read_text().split()[-1]],
        "missing input": ["-r", recipient, folder / "missing"],
        "missing identity file": ["-d", "-i", folder / "missing"],
        "identity file of no keys": ["-d", "-i", "/dev/null", identity],
        "folder as output": ["-r", recipient, "-o", folder, identity],
        "output in no folder": ["-r", recipient, "-o", folder / "no" / "x", identity],
        "input as output": ["-r", recipient, "-o", identity, identity],
        "standard input twice": ["-d", "-i", "-"],
        "no identity": ["-d", identity],
    }
    before = identity.read_bytes()
    for name, words in cases.items():
        got = run(SEALTAPE + words)
        refuses(got, f"refused: {name}")
        tap.ok(b"AGE-SECRET" not in got.stderr.replace(b"AGE-SECRET-KEY-1, or", b""), f"no key is echoed: {name}")
    tap.equal(identity.read_bytes(), before, "the input is as it was")


def test_files(folder):
    identity, recipient = keygen(folder, "key")
    sealed, target = folder / "sealed", folder / "target"
    sealed.write_bytes(run(AGE + ["-r", recipient], b"new").stdout)
    target.write_bytes(b"old")
    (folder / "link").symlink_to(target)
    run(SEALTAPE + ["-d", "-i", identity, "-o", folder / "link", sealed])
    tap.ok(target.read_bytes() == b"new" and (folder / "link").is_symlink(), "a link's target is replaced")
    tap.equal(stat.S_IMODE(target.stat().st_mode), 0o600, "opened files are for their owner")
    target.write_bytes(b"old")
    sealed.write_bytes(sealed.read_bytes()[:-1])
    run(SEALTAPE + ["-d", "-i", identity, "-o", target, sealed])
    tap.equal(target.read_bytes(), b"old", "a file that does not open replaces nothing")
    got = run(SEALTAPE + ["-r", recipient, "-o", "/dev/null"], b"x")
    tap.ok(got.returncode == 0 and pathlib.Path("/dev/null").is_char_device(), "a device is written to", got.stderr)
    ended = subprocess.Popen([str(word) for word in SEALTAPE + ["-r", recipient, "-o", folder / "half"]],
                             stdin=subprocess.PIPE, stderr=subprocess.PIPE)
    ended.stdin.write(pattern(CHUNK))
    ended.stdin.flush()
    appeared = harness.poll(lambda: [path for path in folder.iterdir() if "partial" in path.name], 20,
                            "the unfinished file")
    ended.terminate()
    ended.communicate()
    tap.ok(appeared and not [path for path in folder.iterdir() if "half" in path.name],
           "a signal leaves no half-written file behind")
    full = run(SEALTAPE + ["-r", recipient, "-o", "/dev/full"], b"x")
    refuses(full, "a full device is an error")


if __name__ == "__main__":
    harness.main([test_sizes, test_recipients, test_passphrase, test_sealed_identity, test_keygen, test_seek,
                  test_every_byte, test_chunks, test_malformed_headers, test_terminal, test_usage, test_files], 280)
