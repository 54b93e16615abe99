#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/version.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "crypto/sign.h"
#include "shell/config.h"

static void config_item(void *out, const char *key, const char *form, const char *meaning)
{
    (void)fprintf(out, "  %s = %s\n      %s\n", key, form, meaning);
}

static void config_items(FILE *out)
{
    config_keys(config_item, out);
    (void)fputs("\n", out);
}

const struct command commands[] = {
    {"init", "make a party: keys, card, configuration",
     "comity init DIR --name NAME --role ROLE --jurisdiction J --listen ADDR:PORT [--url URL] [--passphrase-file "
     "FILE]\n"
     "                [--sheets NEED/COUNT]\n\n"
     "Makes the keys (encrypted under the passphrase), the self-signed party card DIR/card.note, and comity.conf. "
     "Prints the card's\n"
     "fingerprint, to be read over the telephone, and the recovery key, which is kept nowhere: print it and lock it "
     "away.\n"
     "ROLE is state, organization, vendor, operator or observer. Without --passphrase-file it asks on the terminal.\n\n"
     "Example:\n  comity init /var/lib/comity --name csirt.northland --role state --jurisdiction Northland \\\n"
     "         --listen 127.0.0.1:8440 --passphrase-file /etc/comity/passphrase\n",
     command_init},
    {"card", "show a party card and its fingerprint",
     "comity card [FILE]\n\nChecks every signature of the card and shows it. Without FILE: the own card.\n\n"
     "Example:\n  comity card northland.note\n",
     command_card},
    {"charter", "compose, show, accede to, and pass on a charter",
     "comity charter new --name NAME --card FILE ... --committee NAME,NAME,... --out FILE\n"
     "                   [--identity NAME:letter,call-backs=2,evidence=FILE] [--jurisdictions-min N]\n"
     "                   [--quota-entries N] [--quota-bytes N]\n"
     "comity charter show FILE           parties, how their identity was proven, how many mirrors may fail or lie\n"
     "comity charter accede FILE         adopt it for this node (its accession is stated when the node runs)\n"
     "comity charter bundle --out FILE   what an offline verifier needs\n"
     "comity charter policy NAME         the C2SP tlog-policy for a party's log\n\n"
     "Example:\n  comity charter new --name 'Harbour circle' --card a.note --card b.note --committee csirt.a,csirt.b "
     "--out charter.json\n",
     command_charter},
    {"serve", "run the node",
     "comity serve\n\nRuns supervisor, signer and node in the foreground until SIGTERM or SIGINT. Prints one line when "
     "it is "
     "ready, and logs to\n"
     "standard error. DIR/comity.conf has one \"key = value\" a line; # begins a comment, and an unknown key is an "
     "error:\n\n"
     "Example:\n  comity -C /var/lib/comity serve\n",
     command_serve, config_items},
    {"publish", "state an advisory (CSAF 2.0, OSV or a CVE record)",
     "comity publish [--open] FILE\n\nTLP:CLEAR and WHITE are published openly, GREEN to members; AMBER, AMBER+STRICT "
     "and RED are refused:\n"
     "they must be sealed. An unlabelled document needs --open. What is published openly cannot be recalled.\n\n"
     "Example:\n  comity publish xz-backdoor.json\n",
     command_publish},
    {"state", "state any other open document",
     "comity state --media TYPE --subject TEXT FILE\n\nExample:\n  comity state --media text/plain --subject note-1 "
     "note.txt\n",
     command_state},
    {"affected", "judge inventories by advisories, without any node",
     "comity affected --advisories PATH ... --inventory FILE ... [--distribution D] [--columns MAPPING] [--undecided]\n"
     "                [--json | --sarif | --cyclonedx-vex] [--fail-on affected|undecided|never] [--progress]\n\n"
     "Reads advisories (CSAF 2.0, OSV, CVE 5) and inventories, and says which components are affected, with the "
     "reason. "
     "PATH is a file, an\n"
     "archive (zip, tar, tar.gz, tar.zst, tar.xz, or one compressed file), or a folder with *.json and archives in it, "
     "however deep. FILE is\n"
     "CycloneDX JSON, SPDX JSON, the status file of dpkg, lib/apk/db/installed, a listing of rpm or a CSV table; what "
     "it is, is told by its\n"
     "content. One of them all may be -, standard input. The process gives up everything but reading these before it "
     "reads them.\n\n"
     "--distribution says where a package list comes from, as OSV names it: Debian:12, AlmaLinux:9, Alpine:v3.19. A "
     "listing of rpm needs it,\n"
     "and is best made by rpm -qa --qf '%{NAME}\\t%{EPOCH}\\t%{VERSION}\\t%{RELEASE}\\t%{ARCH}\\t%{SOURCERPM}\\n', "
     "since "
     "what rpm -qa prints\n"
     "by default has no epochs. --columns says which column of a CSV has what, such as "
     "vendor=Hersteller,product=Produkt,version=Version; roles\n"
     "are purl, cpe, ecosystem, name, version, vendor, product, model, and asset, which names the row.\n\n"
     "What cannot be decided is counted, and shown with --undecided: it is never called safe. Records that cannot be "
     "read are told one by\n"
     "one and do not stop the rest. Exit code 1: something is affected, or an inventory or a PATH could not be read at "
     "all (--fail-on\n"
     "undecided: or anything could not be decided or read; never: 0). --progress tells how far it is also where "
     "standard error is no\n"
     "terminal.\n\n"
     "Example:\n  comity affected --advisories advisories/ --inventory bom.json --sarif > results.sarif\n",
     command_affected},
    {"inventory", "add a software inventory",
     "comity inventory add NAME FILE [--distribution Debian:12] [--columns MAPPING] [--critical] [--sector NAME]\n"
     "comity inventory add NAME --this-machine [--critical] [--sector NAME]\ncomity inventory list\n\n"
     "CycloneDX JSON, SPDX JSON, a list of dpkg, rpm or apk, or a CSV table, as comity affected --help says. FILE may "
     "be -, standard input.\n"
     "--columns is kept with the inventory. The inventory never leaves this node. A second one of a name takes the "
     "place of\n"
     "the first, and only what differs is told. Notices of a critical inventory come first and say so, and its "
     "sector.\n\n"
     "Example:\n  comity inventory add web-server --this-machine --sector energy\n",
     command_inventory},
    {"notices", "what affects the own inventories",
     "comity notices [--open] [--inventory NAME] [--advisory ID] [--verdict affected|undecided|cleared]\n"
     "               [--since TIME] [--after SEQ] [--details]\n"
     "comity notices ack ID ... [--note TEXT]\n"
     "comity notices routes --inventory NAME [--sector S] [--verdict V] [--critical]\n\n"
     "Lists what there is, critical and known to be exploited first, then the newest; --open leaves out what somebody "
     "has "
     "acknowledged,\n"
     "or a later notice replaces. Exit code 1 when a component is affected, 0 when none is. A notice that a later one "
     "of "
     "the same\n"
     "advisory replaces, such as \"no longer affected\", counts no more. ack says that somebody takes care: ID is of a "
     "notice, of a\n"
     "message as mail and webhooks show it, or the first 8 hex digits or more of a notice's or group's. It is kept "
     "once, "
     "with the time\n"
     "and the caller's user number. routes says where a notice of an inventory would go, by comity.conf.\n\n"
     "Example:\n  comity notices --open\n  comity notices ack 5f0c12ab34cd --note 'patched at 02:10'\n",
     command_notices},
    {"follow", "sources outside of the circle: CSAF providers, OSV archives, known exploited vulnerabilities",
     "comity follow add NAME URL [--every MINUTES] [--inside] [--key FILE]\n"
     "comity follow list                 what is followed, and how it goes\n"
     "comity follow show NAME            its documents; what changed silently, is gone, or was refused\n"
     "comity follow now NAME [--check] [--wait SECONDS]\n"
     "comity follow remove NAME          what was taken stays, and counts\n"
     "comity follow import NAME PATH     a document, an archive of documents, or a folder of both\n\n"
     "URL is a CSAF provider-metadata.json or aggregator.json, a ROLIE feed, a folder with changes.csv or index.txt, a "
     "host, an OSV\n"
     "archive (all.zip, of which only what changed is fetched) or modified_id.csv, a catalogue of known exploited "
     "vulnerabilities, or\n"
     "one advisory: what it is shows in its content. The node asks every hour, or as --every says, for what is new or "
     "changed, and\n"
     "judges the inventories by it; a circle is not needed. Only hosts that URL or the feed's own metadata names are "
     "asked, and none\n"
     "in a private network, unless URL names it by address, or --inside allows it. --check asks again for every "
     "document, so that\n"
     "bytes which changed without a new revision show. With --key, an OpenPGP public key, only what it has signed is "
     "taken.\n\n"
     "Exit code of now: 0 all is here; 1 something was refused; 3 it still goes on; 4 the source failed. Of show: 1 "
     "when "
     "something\n"
     "changed silently or was refused.\n\n"
     "Example:\n  comity follow add vendor https://psirt.vendor.example/csaf/provider-metadata.json\n",
     command_follow},
    {"status", "the node, its log, its mirrors and peers",
     "comity status\n\nExit code 3 while something is unwitnessed or the node is recovering.\n\nExample:\n  comity "
     "status\n",
     command_status},
    {"version", "which of two versions is the later one",
     "comity version compare ECOSYSTEM\n\nReads lines of two versions with a tab between them, and answers each with "
     "<, =, > or ?. A "
     "question mark\nsays that nothing can be concluded: one of the two is no version of that ecosystem, or the line "
     "has no\ntab. Exit "
     "code 0 when all were decided, else 1. What follows a colon (\"Debian:12\") is passed over.\n\nThe ecosystems, as "
     "OSV names "
     "them, and their orders:\n\n"
     "Example:\n  printf '1.0~rc1-1\\t1.0-1\\n' | comity version compare Debian\n",
     command_version, version_items},
    {"show", "one statement and whether it stands",
     "comity show ID\n\nExit code 0 when it stands, 3 when it is logged only.\n\nExample:\n  comity show 5f0c...e1\n",
     command_show},
    {"receipt", "fetch the receipt of a statement",
     "comity receipt ID [--form tlog|cose] [--out FILE] [--wait SECONDS]\n\n"
     "tlog: a C2SP tlog-proof; cose: a transparent statement with the mirrors' COSE receipts.\n\n"
     "Example:\n  comity receipt 5f0c...e1 --out advisory.tlog-proof --wait 30\n",
     command_receipt},
    {"verify", "verify a receipt offline",
     "comity verify --charter BUNDLE --receipt FILE [--document FILE]\n\n"
     "Needs no node and no network. Exit code 0: it stands; 3: signed and logged, but no quorum; 1: invalid.\n\n"
     "Example:\n  comity verify --charter circle.bundle --receipt a.tlog-proof --document a.json\n",
     command_verify},
    {"release", "state a software release, and check one before it is installed",
     "comity release state --name NAME --version VERSION --out STATEMENT [--source URI] [--commit HEX] [--builder URI] "
     "FILE ...\n"
     "comity release check --charter BUNDLE --receipt FILE --statement FILE --issuer PARTY FILE ...\n\n"
     "state: names the files by their SHA-256 in an in-toto Statement with SLSA provenance, writes it to STATEMENT, "
     "and "
     "states it in\n"
     "the own log as NAME-VERSION; fetch its receipt with comity receipt. check: needs no node and no network. Exit "
     "code "
     "0: the\n"
     "statement stands, PARTY made it, and each file is in it by name and bytes; 3: no quorum yet; 1: anything "
     "else.\n\n"
     "Example:\n  comity release check --charter circle.bundle --receipt comity-0.1.0.tlog-proof \\\n"
     "         --statement comity-0.1.0.intoto.json --issuer vendor.example comity_0.1.0_amd64.deb\n",
     command_release},
    {"purl", "read package URLs",
     "comity purl parse [FILE]\n\n"
     "Reads a package URL from each line of FILE, or of standard input, and answers with one line of JSON: its "
     "canonical "
     "form and its parts, or the error. The registered types are held to their definitions. Empty lines are passed "
     "over. "
     "Exit code 1 when any line is no package URL.\n\n"
     "Example:\n  echo 'pkg:PyPI/Django_X@1' | comity purl parse\n",
     command_purl},
    {"vers", "which versions a range holds",
     "comity vers contains RANGE\n\n"
     "Reads versions, one a line, and answers each with yes, no or ?. RANGE is as the vers specification has it: "
     "vers:TYPE/ and\n"
     "constraints with | between them, in ascending order of versions, each version once; = != < <= > >= stand before "
     "a "
     "version, * alone is\n"
     "every one, and > < = ! * | % in a version are percent-encoded. A question mark says that nothing can be "
     "concluded: the line is no\n"
     "version of that type, or the order of that type is not known here. Exit code 0 when all were decided, else 1. "
     "Types whose order is\n"
     "known are deb, rpm, apk, alpine, semver, npm, golang, cargo, hex, swift, pub, pypi, maven, gem, nuget, composer, "
     "cran, hackage,\n"
     "intdot, generic and lexicographic; all and none take *.\n\n"
     "Example:\n  printf '1.2.3\\n4.9\\n5.0.0\\n' | comity vers contains 'vers:npm/1.2.3|>=2.0.0|<5.0.0'\n",
     command_vers},
    {"log", "audit a whole log; what is missing of one's own",
     "comity log verify --charter BUNDLE --party NAME [DIRECTORY | URL]\ncomity log ahead [--out FILE]\n\n"
     "verify: recomputes the tree from every entry and verifies every signature. Without a source: the node's own "
     "database "
     "(node stopped).\n\n"
     "ahead: does the running node's signer remember more of its own log than the database and every mirror hold (an "
     "older database was "
     "put back, and\nwhat it lacks had reached nobody)? Says what is missing and what can be done; --out keeps the "
     "signer's checkpoint as "
     "proof. Exit code 1 when it\nis so.\n\n"
     "Example:\n  comity log verify --charter circle.bundle --party csirt.northland http://127.0.0.1:8440\n",
     command_log},
    {"check", "look at every byte of a stopped node's folder",
     "comity check\n\nPages and rows of the database and its -wal, every entry against the tiles and the signed "
     "checkpoints, documents,\n"
     "signatures, the journal, derived views, signer.state, keys, configuration, card and charter. Changes nothing. "
     "Names each\n"
     "damage; exit code 1 when there is any. The node must be stopped.\n\n"
     "Example:\n  comity -C /var/lib/comity check\n",
     command_check},
    {"repair", "bring a damaged folder back from the peers",
     "comity repair [--config]\n\nMakes a new database of what the damaged one still tells and of what peers have; "
     "nothing enters it that\n"
     "does not verify. What it replaces is kept, under a name that ends in .damaged-TIME. It checks everything again "
     "at the end:\n"
     "exit code 0 only when all is whole and nothing is lost. A configuration that still reads but differs from what "
     "the node last\n"
     "ran with is put back by --config only: it may be your own edit. The node must be stopped; peers should run.\n\n"
     "Example:\n  comity -C /var/lib/comity repair\n",
     command_repair},
    {"rebuild", "drop and refold all derived tables", "comity rebuild\n\nExample:\n  comity rebuild\n",
     command_rebuild},
    {"absent", "say that a committee member will not answer",
     "comity absent NAME\n\nLets a node that was restored go on without that member's answer. Only its owner may take "
     "this risk.\n\n"
     "Example:\n  comity absent csirt.southland\n",
     command_absent},
    {"confinement", "try what the node's processes must not be able to do",
     "comity confinement\n\nStarts a process of each kind, confined as when it serves (seccomp, Landlock), and lets it "
     "try to "
     "open a file, make a socket, start a process or a program, map executable memory, connect, and trace another "
     "process. "
     "With -C it speaks of that node's folder. Exit code 0: all was refused that should be.\n\n"
     "Example:\n  comity -C /var/lib/comity confinement\n",
     command_confinement},
    {"recovery", "check, split or join a recovery key",
     "comity recovery check            reads the words from standard input\n"
     "comity recovery split NEED/COUNT reads the words, prints sheets\n"
     "comity recovery join             reads NEED sheets, one a line, prints the words\n\n"
     "Example:\n  comity recovery split 3/5 < words.txt\n",
     command_recovery},
    {"recover", "come back with new keys after the old ones are lost or stolen",
     "comity recover DIR --bundle FILE --party NAME --key FILE --listen ADDR:PORT [--url URL]\n"
     "               [--passphrase-file FILE] [--sheets NEED/COUNT] [--compromised-from INDEX]\n"
     "               [--absent NAME ...] [--wait SECONDS]\n\n"
     "Makes a new folder DIR with new keys for a party of the circle, and replaces the old keys by a key change: a "
     "statement "
     "by the\n"
     "recovery key (FILE holds its words, or enough sheets, one a line; - is standard input), which goes into the log "
     "of a "
     "committee\n"
     "member and counts once it stands. FILE of --bundle is any recent charter bundle; GET /bundle of a node you trust "
     "gives "
     "one.\n"
     "First it asks every committee member how far the log goes and what the party has cosigned; a member that will "
     "not "
     "answer must be\n"
     "named with --absent. Old keys count for what lies before those cuts. With --compromised-from the old keys count "
     "only "
     "for\n"
     "entries below INDEX of the own log: name the first entry that was not yours. The machine that had the old keys "
     "must be "
     "off for\n"
     "good. It prints the new recovery key. After an interruption or exit code 3 the same command goes on. Then: "
     "comity serve.\n\n"
     "Example:\n  comity recover /var/lib/comity --bundle circle.bundle --party csirt.northland --key words.txt \\\n"
     "         --listen 127.0.0.1:8440 --passphrase-file /etc/comity/passphrase\n",
     command_recover},
    {"backup", "copy the party while its node runs, and check a copy",
     "comity backup --out FOLDER\ncomity backup verify FOLDER [--passphrase-file FILE]\n\n"
     "Copies configuration, card, charter, encrypted keys, the signer's state, database and large documents as they "
     "are "
     "at one\n"
     "point, while the node goes on, to a new folder with SHA256SUMS; reads it back whole; and only then gives it its "
     "name.\n"
     "It holds inventories in clear: keep it as safe as the node, and the passphrase elsewhere. verify checks every "
     "byte "
     "and that\n"
     "all parts belong together; with a passphrase file also that the keys open. Exit code 1: not whole.\n\n"
     "Example:\n  comity -C /var/lib/comity backup --out /mnt/backup/$(date +%F)\n",
     command_backup},
    {"restore", "bring a party back from a backup",
     "comity restore FOLDER --into DIR [--passphrase-file FILE]\n\n"
     "Verifies all of the backup, then writes DIR, which must not exist or be empty. The machine that it was copied "
     "from "
     "must be\n"
     "off for good. The node then says recovering: it signs nothing until all mirrors have told it what it had signed "
     "since, and\n"
     "it has fetched that back. comity absent names a mirror that will not answer.\n\n"
     "Example:\n  comity restore /mnt/backup/2026-11-25 --into /var/lib/comity\n",
     command_restore},
    {"doctor", "what is wrong with this node, and what to do",
     "comity doctor\n\n"
     "Looks at configuration, disk, file modes, passphrase and keys, the signer's state against the database, the "
     "database "
     "itself, the\n"
     "node, the other parties, how many mirrors may still fail, the clock against theirs, certificates, statements "
     "that do not "
     "stand,\n"
     "notices that nobody took, and the age of the last backup. Each line says ok, warn, bad, or skip when something "
     "was "
     "missing to look,\n"
     "and what to do. Works with the node running or stopped. Exit code 0: nothing to do; 1: a warning, or worse.\n\n"
     "Example:\n  comity -C /var/lib/comity doctor\n",
     command_doctor},
    {"export", "write the whole party as ordinary files",
     "comity export --out FOLDER\n\n"
     "Own and held logs as C2SP tlog-tiles, documents by hash with their labels, receipts, journal, inventories, "
     "README and "
     "SHA256SUMS,\n"
     "as they are at one point, with the node running or not. Whoever has the folder can audit it with comity log "
     "verify, or "
     "with\n"
     "tools of their own, when Comity is gone. It holds inventories in clear, and no keys.\n\n"
     "Example:\n  comity -C /var/lib/comity export --out /mnt/archive/northland\n",
     command_export},
    {"bundle", "carry the circle's logs to a site without a link",
     "comity bundle wants\n"
     "comity bundle export --out FOLDER [--for FILE] [--members]\n"
     "comity bundle import FOLDER\n\n"
     "wants asks the running node what it has and what it lacks. export writes logs with their proofs and open "
     "documents "
     "to a folder,\n"
     "all of them, or with --for only what the node whose wants are in FILE lacks; --members adds documents for "
     "members "
     "(TLP:GREEN), for\n"
     "when the medium goes to one. import hands the files to the running node, which checks each as it checks a peer's "
     "answers, so\n"
     "whoever carried the medium needs no trust. Inventories, notices and keys are never in it. It can be done again "
     "at "
     "any time; a file\n"
     "that was damaged on the way is named, the rest is taken, and the exit code is 1. A folder of comity export can "
     "be "
     "imported too.\n\n"
     "Example:\n"
     "  comity -C /var/lib/comity bundle wants > /media/stick/wants.json     (at the site without a link)\n"
     "  comity -C /var/lib/comity bundle export --for /media/stick/wants.json --out /media/stick/bundle     "
     "(elsewhere)\n"
     "  comity -C /var/lib/comity bundle import /media/stick/bundle     (at the site)\n",
     command_bundle},
    {"host", "keep other organisations' inventories, or have yours kept",
     "comity host key --organization NAME --out FILE\n"
     "comity host add KEY | list | remove --yes-remove ORGANIZATION\n"
     "comity host upload URL NAME FILE --key FILE [--distribution D]\n"
     "comity host withdraw URL NAME --key FILE\n"
     "comity host notices|accesses URL --key FILE [--after N]\n\n"
     "An organisation makes a key and gives its public line to a node's owner, who adds it: until then nothing is "
     "hosted. "
     "It uploads its\n"
     "inventories itself, each request signed; an upload replaces the last of the same name. The node keeps them "
     "encrypted "
     "under a key for\n"
     "each organisation, compares them with advisories as it does its owner's, and asks nothing else across "
     "organisations. "
     "Each access is\n"
     "noted, and the organisation reads by accesses who had to do with what, and by notices what was found. remove "
     "closes "
     "what is kept of\n"
     "it for ever. The node must be in a circle; one of its own is enough.\n\n"
     "Example:\n"
     "  comity host key --organization waterworks.example --out waterworks.key     (at the organisation)\n"
     "  comity -C /var/lib/comity host add waterworks.example+4e8c...+AVJ...     (at the node)\n"
     "  comity host upload https://node.northland.example pumps pumps.cdx.json --key waterworks.key\n",
     command_host},
    {"leave", "leave the circle, in good order",
     "comity leave --reason TEXT --yes-leave NAME [--wait SECONDS]\n\n"
     "States in the own log that the party leaves, and why; NAME is its own name, so that nobody leaves by accident. "
     "It "
     "cannot be\n"
     "taken back: from then on signer and node refuse every further statement in this circle, and what anybody puts "
     "behind it\n"
     "counts nowhere. Waits until it stands, 60 seconds by default: exit code 0, else 3; say it again to wait on.\n\n"
     "What remains: the others keep the log, its documents and its receipts, which stay good for ever, and serve them. "
     "Keep the node\n"
     "running, at least until it stands and as long as others fetch from it; a committee member goes on to cosign "
     "others' "
     "logs until\n"
     "they have chosen another. That the party no longer stands in the roster is for the others to decide.\n\n"
     "Example:\n  comity -C /var/lib/comity leave --reason 'The office is closed' --yes-leave csirt.northland\n",
     command_leave},
    {0},
};

static void help_all(FILE *out)
{
    (void)fputs("comity - publish vulnerabilities and tell whoever is affected, on one jointly witnessed record\n\n"
                "usage: comity [-C DIR] [--json] COMMAND [--help]\n\n",
                out);
    for (const struct command *c = commands; c->name; c++)
        (void)fprintf(out, "  %-10s %s\n", c->name, c->summary);
    (void)fputs("\nExit codes: 0 yes, 1 no/affected/invalid, 2 usage, 3 not standing yet, 4 I/O, 5 refused by a rule.\n"
                "Example:\n  comity -C /var/lib/comity status\n",
                out);
}

static void help_one(const struct command *command)
{
    const char *example = strstr(command->help, "Example:");
    size_t before = example ? (size_t)(example - command->help) : strlen(command->help);
    (void)printf("comity %s - %s\n\n%.*s", command->name, command->summary, (int)before, command->help);
    if (command->items)
        command->items(stdout);
    (void)fputs(command->help + before, stdout);
}

static int run(const struct command *command, struct cli *cli)
{
    for (int i = 0; i < cli->argc; i++)
        if (strcmp(cli->argv[i], "--help") == 0) {
            help_one(command);
            return EXIT_YES;
        }
    if (option_flag(cli, "--json"))
        cli->json = true;
    int code = crypto_start();
    return code ? cli_fail(cli, code, NULL) : command->run(cli);
}

/* What every command does when memory runs out, and every process of a node: it says so and ends, before half an answer goes out. What
   was acknowledged is durable; a supervisor starts its node again. Nothing here may need memory. */
static void memory_stop(void)
{
    const struct error_text *text = error_text(E_NOMEM);
    const char *const parts[] = {
        "comity: ", text->message, "\n  rule:   ", text->rule, "\n  remedy: ", text->remedy, "\n"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        if (write(STDERR_FILENO, parts[i], strlen(parts[i])) < 0)
            break;
    _exit(EXIT_IO);
}

int main(int argc, char **argv)
{
    struct cli cli = {.dir = "."};
    int at = 1;
    memory_on_exhausted(memory_stop);
    for (; at < argc && argv[at][0] == '-'; at++) {
        if (strcmp(argv[at], "-C") == 0 && at + 1 < argc)
            cli.dir = argv[++at];
        else if (strcmp(argv[at], "--json") == 0)
            cli.json = true;
        else if (strcmp(argv[at], "--help") == 0 || strcmp(argv[at], "-h") == 0) {
            help_all(stdout);
            return EXIT_YES;
        } else if (strcmp(argv[at], "--version") == 0) {
            (void)puts("comity " COMITY_RELEASE);
            return EXIT_YES;
        } else {
            return cli_usage(&cli, "unknown option %s", argv[at]);
        }
    }
    if (at >= argc) {
        help_all(stderr);
        return EXIT_USAGE;
    }
    for (const struct command *c = commands; c->name; c++)
        if (strcmp(c->name, argv[at]) == 0) {
            cli.argc = argc - at - 1;
            cli.argv = argv + at + 1;
            return run(c, &cli);
        }
    return cli_usage(&cli, "there is no command '%s'; comity --help lists them", argv[at]);
}
