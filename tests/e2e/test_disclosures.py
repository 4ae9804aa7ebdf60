#!/usr/bin/python3
"""What is told of openings: a client's account of disclosures, pseudonyms, and the logs of three programs as others read them."""

import datetime
import hashlib
import hmac
import html.parser
import json
import re
import shutil
import subprocess
import time
import xml.etree.ElementTree as xml

from harness import cli, main, poll, program, tap
from opener import ISSUER
from test_access import install

GRAMMAR = "atna.rng"


def pseudonym(recorder, person):
    key = (recorder.folder / "keys" / "pseudonym.key").read_text().strip().rsplit("-", 1)[1]
    text = f"sealtape-pseudonym/v1\n{recorder.org}\n{person}"
    return "p-" + hmac.new(key.encode(), text.encode(), hashlib.sha256).hexdigest()[:32]


def export(recorder, folder, session, number, *options):
    done = recorder.command("export", session, "--output", folder / f"{number}.mkv", *options)
    tap.ok(done.returncode == 0, f"export {number}", done.stderr)


def account(recorder, client):
    done = recorder.command("audit", "disclosures", "--org", recorder.org, "--client", client, "--json")
    return json.loads(done.stdout) if done.returncode == 0 else done.stderr


def test_account(folder):
    recorder, opener, ours, theirs = install(folder, access='release = "always";')
    token = folder / "token"
    token.write_text(opener.token("pat", "client"))
    custodian = folder / "custodian"
    custodian.write_text(opener.token("cus", "custodian"))
    export(recorder, folder, ours, 1, "--purpose", "PATRQT", "--token-file", token)
    export(recorder, folder, ours, 2, "--purpose", "TREAT")
    export(recorder, folder, ours, 3, "--purpose", "HLEGAL", "--reason", "subpoena", "--recipient", "court-7",
           "--token-file", custodian)
    export(recorder, folder, theirs, 4, "--purpose", "HLEGAL", "--reason", "subpoena", "--recipient", "court-8",
           "--token-file", custodian)
    found = account(recorder, f"{ISSUER}|pat")
    rows = found["disclosures"]
    tap.equal([(row["recipient"], row["purpose"], row["session"]) for row in rows][:1], [("court-7", "HLEGAL", ours)],
              "the account has what was disclosed, to whom and for what")
    tap.ok(rows and all(row["recipient"] == "court-7" for row in rows), "and nothing of another client", rows)
    tap.ok(re.match(r"\d{4}-\d\d-\d\dT", rows[0]["date"]) and ours in rows[0]["description"], "with date and description")
    tap.ok(found["exempt"] >= 2, "what is exempt is counted, not listed", found)
    tap.equal(found["client"], pseudonym(recorder, f"{ISSUER}|pat"), "the pseudonym is HMAC-SHA256, computed here")
    tap.equal(account(recorder, found["client"])["disclosures"], rows, "a pseudonym finds the same")
    tap.equal(account(recorder, f"{ISSUER}|nobody")["disclosures"], [], "of somebody else there is nothing")
    tap.equal(recorder.command("audit", "disclosures", "--org", recorder.org).returncode, 2, "a client must be named")
    in_years(folder, recorder, found["client"], rows)
    told = opener.records()
    clients = {word for line in told.splitlines() for word in line.split(" ") if word.startswith("client=")}
    tap.equal(clients, {"client=" + pseudonym(recorder, f"{ISSUER}|{name}") for name in ("pat", "other-pat")},
              "clients stand under pseudonyms alone")
    tap.contains(told, f"client={found['client']}", "in the record of the opening")
    anchors = recorder.store / recorder.org / "audit" / next((recorder.folder / "audit" / recorder.org).glob("access.*.log")).stem
    poll(lambda: list(anchors.glob("*.note")), 10, "a checkpoint of the opener's log in the store")
    elsewhere(recorder, found["client"], anchors)
    tap.ok("subpoena" not in told, "reasons in free words stand nowhere in it")
    report_of(recorder, folder, opener, ours, theirs)
    opener.child.kill()
    as_others_read(folder, recorder)
    verified(recorder)
    hidden(folder, recorder, opener, ours)


def elsewhere(recorder, client, anchors):
    """An account says which logs it is made of, and which others there are."""
    own = sorted(path.stem for path in (recorder.folder / "audit" / recorder.org).glob("*.log"))
    found = account(recorder, client)
    tap.equal((sorted(found["logs_read"]), found["logs_elsewhere"], found["fault"]), (own, [], None), "all logs of this host are read")
    other = anchors.with_name("access.another-host")
    shutil.copytree(anchors, other)
    tap.equal(account(recorder, client)["logs_elsewhere"], [other.name], "the store knows of a log that lies on another host")
    words = ["audit", "disclosures", "--org", recorder.org, "--client", client]
    tap.contains(recorder.command(*words).stdout, f"NOT read, for their logs lie on other hosts: {other.name}.", "which a person reads too")
    shutil.rmtree(other)
    tap.contains(recorder.command(*words).stdout, f"of this host: {', '.join(own)}.\nThe store knows of no other.", "or that there is none")
    moved = recorder.store.rename(recorder.store.with_name("away"))
    found = account(recorder, client)
    tap.ok(found["logs_elsewhere"] is None and "store" in found["fault"] and found["disclosures"], "a store that is away hides it, and is told", found)
    tap.contains(recorder.command(*words).stdout, "Whether other hosts keep logs of their own is not known: ", "in words too")
    moved.rename(recorder.store)


def in_years(folder, recorder, client, rows):
    """The rule goes six years back from the day of the question: a copy of the installation is asked on other days."""
    later = folder / "later"
    shutil.copytree(recorder.folder, later, ignore=shutil.ignore_patterns("run", "spool"))
    text = recorder.config.read_text()
    (later / "sealtape.conf").write_text(text.replace(str(recorder.folder), str(later)))

    def ask(days, *more):
        command = ["faketime", "-f", f"+{days}d", program("sealtape"), "--config", later / "sealtape.conf", "audit", "disclosures",
                   "--org", recorder.org, "--client", client, "--json", *more]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        return json.loads(done.stdout) if done.returncode == 0 else done.stderr

    answer = ask(6 * 365)
    tap.equal(answer["disclosures"], rows, "within six years it is listed")
    answer = ask(6 * 365 + 3)
    tap.equal((answer["disclosures"], answer["exempt"]), ([], 0), "what is older is neither listed nor counted")
    answer = ask(6 * 365 + 3, "--from", rows[0]["date"][:10])
    tap.equal((answer["disclosures"], answer["since"]), (rows, rows[0]["date"][:10]), "but for whoever says from when")
    tap.equal(ask(0, "--until", rows[0]["date"][:10])["disclosures"], [], "or up to when")
    tap.contains(str(ask(0, "--from", "long-ago")), "is no moment", "a moment that is none is refused")


class Page(html.parser.HTMLParser):
    """A page's tables by id, and whether every element is closed and nothing outside is named."""

    EMPTY = {"meta", "line", "rect/"}

    def __init__(self, text):
        super().__init__()
        self.open, self.tables, self.outside, self.faults = [], {}, [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        values = dict(attributes)
        self.outside += [name for name, value in attributes if name in ("href", "src", "style", "action") or "//" in (value or "")]
        if tag not in self.EMPTY:
            self.open.append(tag)
        if tag in ("script", "link", "iframe", "img", "object"):
            self.outside.append(tag)
        if tag == "table":
            self.rows = self.tables.setdefault(values.get("id", f"chart {len(self.tables)}"), [])
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")

    def handle_startendtag(self, tag, attributes):
        self.handle_starttag(tag, attributes)
        if tag not in self.EMPTY:
            self.open.pop()

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.faults.append(tag)

    def handle_data(self, text):
        if any(tag in ("td", "th") for tag in self.open) and self.open.count("table"):
            self.rows[-1][-1] += text

    def numbers(self, table):
        return {row[0]: int(row[1]) for row in self.tables[table]}


def report_of(recorder, folder, opener, ours, theirs):
    """The privacy officer's page: its numbers, and that it names nobody."""
    recorder.command("hold", "place", theirs, "--matter", "smith-v-jones")
    poll(lambda: recorder.command("report", "--org", recorder.org, "--json").returncode == 0, 10, "the catalogue to be there")
    time.sleep(1.1)  # whole seconds: what was just done is before it
    at = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    time.sleep(1.1)  # what this very run notes is not of the moment it tells of
    pages = []
    for number in range(2):
        path = folder / f"report-{number}.html"
        done = recorder.command("report", "--org", recorder.org, "--output", path, "--at", at)
        tap.equal(done.returncode, 0, f"a report is written {done.stderr}")
        pages.append(path.read_text(encoding="utf-8"))
    tap.equal(pages[0], pages[1], "the same moment gives the same bytes")
    page = Page(pages[0])
    tap.equal((page.faults, page.open, page.outside), ([], [], []), "it is one page, every element closed, and refers to nothing outside")
    facts = json.loads(recorder.command("report", "--org", recorder.org, "--at", at, "--json").stdout)
    tap.equal({use: sum(months) for use, months in facts["audit"]["openings"].items()}, {"PATRQT": 1, "TREAT": 1, "HLEGAL": 2},
              "each opening is counted under its purpose")
    tap.equal(facts["audit"]["disclosures_countable"], 2, "two of them are disclosures to account for")
    chart = next(rows for rows in page.tables.values() if rows[0][1:] == ["PATRQT", "TREAT", "HLEGAL"])
    tap.equal([cells[1:] for cells in chart if cells[0] == at[:7]], [["1", "1", "2"]], "in this month, as the page has it")
    held = page.numbers("retention")
    tap.equal((held["on hold"], held["open matters of these holds"], held["kept for ever: no rule applies"]), (1, 1, 1),
              "one recording is on hold, the other kept for ever")
    events = page.numbers("events")
    tap.equal((events["holds placed"], events["recordings erased"]), (1, 0), "events are counted")
    tap.equal([row[1:3] for row in page.tables["keys"][1:]], [["organisation", "active"], ["break-glass", "active"]], "the keys")
    tap.equal([row[0] for row in page.tables["checks"] if row[1] == "failed"], [], "no check has failed")
    words = [ours, theirs, "smith", "court-7", "subpoena", ISSUER, "pat", "visit-4711", "cus", "p-"]
    found = [word for word in words if re.search(rf"(?<![a-z]){re.escape(word)}(?![a-z])", pages[0])]
    tap.equal(found, [], "no person, session, matter or recipient is named")
    log = next((recorder.folder / "audit" / recorder.org).glob("access.*.log"))
    kept = log.read_bytes()
    log.write_bytes(kept.replace(b" ok ", b" xx ", 1))
    bad = json.loads(recorder.command("report", "--org", recorder.org, "--json").stdout)
    log.write_bytes(kept)
    tap.ok(any("access" in row["check"] and not row["ok"] for row in bad["checks"]), "a log that was changed is a failed check", bad["checks"])
    refused = recorder.command("report", "--org", "clinic-z", "--output", folder / "none.html")
    tap.ok(refused.returncode == 1 and "clinic-z" in refused.stderr, "an organisation that is none", refused.stderr)


def as_others_read(folder, recorder):
    lines = sum(len(path.read_text().splitlines()) for path in (recorder.folder / "audit" / recorder.org).glob("*.log"))
    rows = {name: recorder.command("audit", "export", "--format", name).stdout.splitlines() for name in ("jsonl", "atna", "fhir")}
    tap.ok(lines <= len(rows["jsonl"]) < len(rows["atna"]) < len(rows["fhir"]),
           "each record is told, and that they were read, each time", lines, [len(found) for found in rows.values()])
    origins = {json.loads(row)["origin"].split(".")[0] for row in rows["jsonl"]}
    tap.equal(origins, {"recorder", "access", "admin"}, "of all three programs")
    files = []
    for number, row in enumerate(rows["atna"]):
        head, _, message = row.partition(" - ")
        if not re.fullmatch(r"<8[45]>1 \S+Z \S+ sealtape \S+ IHE\+RFC-3881", head):
            tap.ok(False, "a header of ATNA", head)
        files.append(folder / f"{number}.xml")
        files[-1].write_text(message)
    grammar = __file__.rsplit("/", 2)[0] + "/" + GRAMMAR
    for checker in (["xmllint", "--noout", "--relaxng", grammar], ["jing", grammar]):
        done = subprocess.run([*checker, *files], capture_output=True, text=True)
        tap.ok(done.returncode == 0, f"{len(files)} messages are valid, says {checker[0]}", done.stdout[-500:] + done.stderr[-500:])
    requestors = [len(xml.parse(path).findall("ActiveParticipant[@UserIsRequestor='true']")) for path in files]
    tap.ok(max(requestors) == 1, "no message has two requestors")
    events = [json.loads(row) for row in rows["fhir"]]
    tap.ok(all(event["resourceType"] == "AuditEvent" and "meta" not in event for event in events), "AuditEvents, of no profile")
    secrets = ["AGE-SECRET", "PRIVATE+KEY", "visit-4711", "subpoena"]
    everything = "\n".join(sum(rows.values(), []))
    tap.equal([word for word in secrets if word in everything], [], "no secret, reference or free word among them")
    done = recorder.command("audit", "export", "--format", "csv")
    tap.ok(done.returncode == 2 and "jsonl, atna and fhir" in done.stderr, "another format is refused", done.stderr)
    done = recorder.command("audit", "export", "--from", "yesterday-ish")
    tap.ok(done.returncode == 2 and "is no moment" in done.stderr, "as is a time that is none", done.stderr)
    tap.equal(recorder.command("audit", "export", "--until", "2020-01-01").stdout, "", "a time is kept to")


def verified(recorder):
    done = recorder.command("audit", "verify", "--json")
    logs = json.loads(done.stdout)["logs"]
    tap.equal((done.returncode, sorted(log["origin"].split(".")[0] for log in logs)), (0, ["access", "admin", "recorder"]),
              "the logs of three programs are verified together")
    admin = next((recorder.folder / "audit" / recorder.org).glob("admin.*.log"))
    access = next((recorder.folder / "audit" / recorder.org).glob("access.*.log"))
    kept = access.read_bytes()
    access.unlink()
    done = recorder.command("audit", "verify")
    tap.ok(done.returncode == 3 and "the log has 0" in done.stdout, "one removed beside the others is missed", done.stdout)
    access.write_bytes(kept)
    access.chmod(0o600)
    # One program's key does not vouch for another's log.
    checkpoint = access.with_suffix(".checkpoint")
    genuine = checkpoint.read_bytes()
    checkpoint.write_bytes(admin.with_suffix(".checkpoint").read_bytes())
    done = recorder.command("audit", "verify")
    tap.ok(done.returncode == 3 and "no genuine checkpoint" in done.stdout, "another program's checkpoint is none", done.stdout)
    checkpoint.write_bytes(genuine)
    # Nobody reads unseen.
    kept = admin.read_bytes()
    admin.write_bytes(b"\n".join(kept.split(b"\n")[1:]))
    done = recorder.command("audit", "show")
    tap.ok(done.returncode == 1 and done.stdout == "" and "can not be audited" in done.stderr,
           "what can not be noted is not shown", done.stdout[-200:] + done.stderr)
    admin.write_bytes(kept)
    tap.equal(recorder.command("audit", "verify").returncode, 0, "all as it was")


def hidden(folder, recorder, opener, ours):
    """People under pseudonyms too; then an installation that is older than the command line's key."""
    text = recorder.config.read_text()
    recorder.config.write_text(text.replace('people = "ids"', 'people = "pseudonyms"'))
    before = len(opener.records())
    opener.log = folder / "accessd-again.log"
    opener.start()
    opener.grant(ours, "TREAT", opener.token("doc", "provider"))
    told = opener.records()[before:]
    tap.contains(told, "actor=" + pseudonym(recorder, f"{ISSUER}|doc"), "whoever opens stands under a pseudonym if the settings say so")
    tap.ok("idp.example" not in told, "and under nothing else")
    opener.child.kill()
    recorder.config.write_text(text.replace('signing_key = "keys/admin.key";', ""))
    done = recorder.command("audit", "show")
    tap.ok(done.returncode == 1 and "sealtape audit keygen admin" in done.stderr, "one sentence says what is missing", done.stderr)
    keys = folder / "more-keys"
    keys.mkdir()
    done = cli("audit", "keygen", "admin", str(keys))
    tap.ok(done.returncode == 0 and "keys.signing_key" in done.stdout and "trusted_admins" in done.stdout, "keygen says what to set", done.stderr)
    tap.equal((keys / "admin.key").stat().st_mode & 0o777, 0o600, "the key is its owner's")
    tap.equal(cli("audit", "keygen", "admin", str(keys)).returncode, 1, "it overwrites nothing")


if __name__ == "__main__":
    main([test_account], 100)
