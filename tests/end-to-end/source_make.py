"""Writes what tests/end-to-end/source.py serves.

source_make.py csaf FILE ID VERSION DATE PACKAGE [TITLE] [CVE]   one CSAF advisory about a Debian package below 9
source_make.py osv ID MODIFIED PACKAGE                           one OSV record, to standard output
source_make.py zip FILE NAME=JSON-FILE ...                       an archive
source_make.py hash FILE ...                                     FILE.sha256 (or .sha512, by turns) beside each
source_make.py rolie FILE BASE-URL DOCUMENT=DATE ...             a ROLIE feed that lists the documents with their hashes
source_make.py provider FILE CANONICAL-URL DISTRIBUTION ...      DISTRIBUTION: rolie=URL or directory=URL
source_make.py kev FILE CVE=ADDED ...
source_make.py aggregator FILE URL[=MIRROR] ...                  providers, by their metadata and a copy of it
"""
import hashlib
import json
import os
import sys
import zipfile


def csaf(path, name, version, date, package, title="A fault", cve=""):
    purl = f"pkg:deb/debian/{package}"
    product = {"name": package, "product_id": "P1", "product_identification_helper": {"purl": purl}}
    fault = {"product_status": {"known_affected": ["P1"]}, "notes": [{"category": "description", "text": "x"}]}
    if cve:
        fault["cve"] = cve
    document = {
        "document": {
            "category": "csaf_security_advisory", "csaf_version": "2.0", "title": title,
            "publisher": {"category": "vendor", "name": "Harbour Works", "namespace": "https://harbour.example"},
            "distribution": {"tlp": {"label": "WHITE"}},
            "tracking": {"id": name, "status": "final", "version": version, "initial_release_date": date,
                         "current_release_date": date,
                         "revision_history": [{"number": version, "date": date, "summary": "x"}]}},
        "product_tree": {"branches": [{"category": "vendor", "name": "Debian", "branches": [
            {"category": "product_name", "name": package, "branches": [
                {"category": "product_version_range", "name": "vers:deb/<9:9", "product": product}]}]}]},
        "vulnerabilities": [fault]}
    os.makedirs(os.path.dirname(path), exist_ok=True)
    json.dump(document, open(path, "w"))


def osv(name, modified, package):
    print(json.dumps({"schema_version": "1.6.0", "id": name, "modified": modified, "summary": "a fault", "affected": [
        {"package": {"ecosystem": "Debian:12", "name": package},
         "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}]}]}]}))


def archive(path, *members):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as z:
        for member in members:
            name, source = member.split("=", 1)
            z.write(source, name)


def hashes(*paths):
    for path in paths:
        kind = "sha512" if sum(map(ord, path)) % 2 else "sha256"
        for old in ("sha256", "sha512"):
            if os.path.exists(f"{path}.{old}"):
                os.remove(f"{path}.{old}")
        digest = hashlib.new(kind, open(path, "rb").read()).hexdigest()
        open(f"{path}.{kind}", "w").write(f"{digest}  {os.path.basename(path)}\n")


def rolie(path, base, *documents):
    folder = os.path.dirname(path)
    entries = []
    for document in documents:
        name, date = document.split("=", 1)
        url = name if name.startswith("http") else base + name
        links = [{"rel": "self", "href": url}]
        for kind in ("sha256", "sha512"):
            if os.path.exists(f"{folder}/{name}.{kind}"):
                links.append({"rel": "hash", "href": f"{url}.{kind}"})
        if os.path.exists(f"{folder}/{name}.asc"):
            links.append({"rel": "signature", "href": f"{url}.asc"})
        entries.append({"id": name, "title": name, "link": links, "published": date, "updated": date,
                        "content": {"type": "application/json", "src": url}})
    json.dump({"feed": {"id": "white", "title": "Harbour Works, TLP:WHITE", "entry": entries}}, open(path, "w"))


def provider(path, canonical, *distributions):
    lists = []
    for distribution in distributions:
        kind, url = distribution.split("=", 1)
        lists.append({"directory_url": url} if kind == "directory" else
                     {"rolie": {"feeds": [{"tlp_label": "WHITE", "url": url}]}})
    json.dump({"canonical_url": canonical, "distributions": lists, "last_updated": "2026-01-01T00:00:00Z",
               "list_on_CSAF_aggregators": True, "mirror_on_CSAF_aggregators": True, "metadata_version": "2.0",
               "publisher": {"category": "vendor", "name": "Harbour Works", "namespace": "https://harbour.example"},
               "role": "csaf_provider"}, open(path, "w"))


def kev(path, *rows):
    json.dump({"title": "Known exploited", "catalogVersion": "2026.01.01", "dateReleased": "2026-01-01T00:00:00Z",
               "count": len(rows), "vulnerabilities": [
                   {"cveID": row.split("=")[0], "dateAdded": row.split("=")[1], "dueDate": "2026-03-01",
                    "knownRansomwareCampaignUse": "Known"} for row in rows]}, open(path, "w"))


def aggregator(path, *providers):
    rows = []
    for provider in providers:
        url, _, mirror = provider.partition("=")
        rows.append({"metadata": {"url": url, "last_updated": "2026-01-01T00:00:00Z", "publisher": {"name": "x"}},
                     **({"mirrors": [mirror]} if mirror else {})})
    json.dump({"aggregator": {"category": "aggregator", "name": "All of the harbour", "namespace": "https://all.example"},
               "aggregator_version": "2.0", "canonical_url": "https://all.example/aggregator.json",
               "csaf_providers": rows, "last_updated": "2026-01-01T00:00:00Z"}, open(path, "w"))


{"aggregator": aggregator, "csaf": csaf, "osv": osv, "zip": archive, "hash": hashes, "rolie": rolie, "provider": provider, "kev": kev}[sys.argv[1]](*sys.argv[2:])
