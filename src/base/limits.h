/* Every cap on what others may send, in one place. Sizes in bytes unless the name says otherwise. */
#ifndef COMITY_BASE_LIMITS_H
#define COMITY_BASE_LIMITS_H

enum {
    /* Statements and records */
    STATEMENT_BYTES_MAX = 4096, /* the whole COSE_Sign1 */
    STATEMENT_ANSWERS_MAX = 16, /* statements that one statement may answer */
    SUBJECT_BYTES_MAX = 256,    /* the CWT sub claim */
    MEDIA_BYTES_MAX = 128,      /* a media type */
    ORIGIN_BYTES_MAX = 128,     /* a log's origin line */
    NAME_BYTES_MAX = 63,        /* a party's name */
    URL_BYTES_MAX = 256,
    PROOF_HASHES_MAX = 63, /* c2sp tlog-witness: at most 63 proof lines */
    TILE_WIDTH = 256,      /* c2sp tlog-tiles */
    TILE_BYTES_MAX = 8192,
    BUNDLE_BYTES_MAX = 256 * (STATEMENT_BYTES_MAX + 2),
    PACKAGES_PER_REQUEST_MAX = 32, /* c2sp tlog-mirror add-entries */

    /* Notes */
    NOTE_BYTES_MAX = 65536,
    NOTE_SIGNATURES_MAX = 64,
    NOTE_SIGNATURE_BYTES_MAX = 5120, /* post-quantum signatures are nearly 5 kB */
    RECEIPT_BYTES_MAX = 131072,

    /* Encodings */
    CBOR_DEPTH_MAX = 16,
    CBOR_ITEMS_MAX = 4096,
    JSON_DEPTH_MAX = 64,
    JSON_BYTES_MAX = 64 * 1024 * 1024,
    DOCUMENT_BYTES_MAX = 32 * 1024 * 1024, /* one stated document */
    DOCUMENT_INLINE_MAX = 1024 * 1024,     /* larger ones are files named by hash */
    INVENTORY_BYTES_MAX = 64 * 1024 * 1024,
    KEPT_BYTES_MAX = 2 * INVENTORY_BYTES_MAX, /* what the node keeps of one, and replaces as a whole */
    COMPONENTS_MAX = 200000,
    CSV_COLUMNS_MAX = 1024,
    COLUMNS_BYTES_MAX = 1023, /* the words that say which of them has what */
    /* Archives of advisories: OSV's whole export is some 700,000 records in 1 GB, 8 times that unpacked */
    ARCHIVE_MEMBERS_MAX = 4000000,
    ARCHIVE_MIB_MAX = 32768, /* that come out, passed over or not */
    ARCHIVE_RATIO_MAX = 200, /* bytes out for a byte in: of JSON zip makes 5 to 20, zstd and xz up to 60 */
    ARCHIVE_RATIO_FREE = 16 * 1024 * 1024, /* below this nobody asks for the ratio */
    ARCHIVE_PATH_MAX = 1024,
    VERS_BYTES_MAX = 16384,                 /* one range: thousands of products may share it, and each reads it anew */
    TEXTS_JSON_BYTES_MAX = 8 * 1024 * 1024, /* what a peer tells as lists of notes in JSON */
    TEXTS_MAX = 1024,                       /* such notes */
    RELEASE_FILES_MAX = 1024,               /* of one stated software release */

    /* Circle */
    PARTIES_MAX = 256,
    COMMITTEE_MAX = 15,
    CHARTER_BYTES_MAX = 4 * 1024 * 1024,
    CARD_BYTES_MAX = 8192,
    BUNDLE_JSON_BYTES_MAX = 3 * CHARTER_BYTES_MAX,
    ROSTER_CHANGES_MAX = 1024,         /* of a circle, in a bundle */
    KEY_CHANGE_BYTES_MAX = 128 * 1024, /* a card and a cut for each log */

    /* Node */
    BATCH_STATEMENTS_MAX = 1024,          /* one group commit */
    NOTICE_TEXT_MAX = 1024,               /* each text of a notice; longer ones are cut */
    NOTICE_BYTES_MAX = 128 * 1024,        /* a notice as JSON, each of its texts escaped at the worst */
    NOTICE_CVES_MAX = 64,                 /* ids in the CVE list that a notice names */
    INVENTORY_NAME_MAX = 63,              /* of an inventory, and of its distribution */
    SECTOR_BYTES_MAX = 63,                /* an inventory's sector */
    NOTICES_STEP_MAX = 1024,              /* handed out by one step; the others wait in the journal */
    FOLLOWED_URL_MAX = 1024,              /* where a feed has a document */
    FEEDS_MAX = 64,                       /* that a node follows */
    FEED_DOCUMENTS_MAX = 200000,          /* of one feed */
    FEED_SOURCES_MAX = 512,               /* lists that one feed leads to: a provider's, an aggregator's providers' */
    FEED_HOSTS_MAX = 512,                 /* hosts that one feed's metadata may name */
    FEED_REDIRECTS_MAX = 3,               /* of one request */
    FEED_CALLS_MAX = 4,                   /* requests under way of one feed */
    FEED_CALLS_ALL = 8,                   /* ... of all feeds together */
    FEED_KEY_BYTES_MAX = 65536,           /* an OpenPGP key */
    FEED_SIGNATURE_BYTES_MAX = 65536,     /* a detached OpenPGP signature */
    LISTING_BYTES_MAX = 32 * 1024 * 1024, /* one list of documents, or the directory of an archive */
    ZIP_RATIO_MAX = 200,                  /* how much larger than its packed form a document of an archive may be */
    DOCUMENT_PULLS_MAX = 32,              /* documents fetched at once, by a node */
    DOCUMENT_PULLS_PER_SOURCE = 8,        /* ... from one peer */
    DOCUMENT_PULL_SMALL_MAX = 256 * 1024, /* a larger one is fetched alone */
    FOREIGN_LOGS_MAX = 1024,              /* logs outside the circle that a node witnesses */
    HTTP_BODY_MAX = 36 * 1024 * 1024,
    GZIP_BODY_MIN = 16 * 1024,            /* a smaller body goes out as it is: it would save a packet or none */
    HTTP_MEMORY_MAX = 128 * 1024 * 1024,  /* bodies of all requests and answers under way, together */
    HTTP_MEMORY_KNOWN = 40 * 1024 * 1024, /* of them only for addresses where our own peers answer */
    ADDRESS_BYTES_MAX = 80 * 1024 * 1024, /* of them for one address */
    REQUESTS_PER_ADDRESS_SECOND = 500,
    REQUESTS_PER_ADDRESS_BURST = 2000,
    KNOWN_SHARE = 4,              /* how much faster a known peer may ask */
    HTTP_CONNECTIONS_KNOWN = 64,  /* of HTTP_CONNECTIONS_MAX only for them */
    HTTP_DISCARD_MAX = 64 * 1024, /* of a refused body that is still read, so that its sender hears why */
    TARGET_BYTES_MAX = 4096,      /* a request's path and query */
    HEADERS_MAX = 64,
    HEADERS_BYTES_MAX = 8192,
    ADD_CHECKPOINT_BYTES_MAX = NOTE_BYTES_MAX + 4096, /* with the old size and at most 63 proof lines */
    HTTP_CONNECTIONS_MAX = 512,
    CONNECTIONS_PER_ADDRESS_MAX = 64,
    CONFIG_BYTES_MAX = 1024 * 1024,
    ROUTES_MAX = 8192, /* of a configuration */
    ROUTE_NAME_MAX = 63,
    ROUTE_CHANNELS_MAX = 8,  /* of one route */
    CHANNEL_BYTES_MAX = 512, /* "mail:ADDRESS", "webhook:URL", "command:/PROGRAM WORD ..." */
    CHANNELS_OF_NOTICE_MAX = 64,
    COMMAND_WORDS_MAX = 16,
    MESSAGE_NOTICES_MAX = 256,                   /* notices that go out in one message; more make further ones */
    NOTICE_MESSAGE_BYTES_MAX = 34 * 1024 * 1024, /* of a message, each of its notices as large as they get */
    ATOM_ENTRIES_MAX = 100,                      /* of the feed of notices */
    NOTE_ACK_BYTES_MAX = 1024,                   /* what is noted with an acknowledgement */
    REASON_BYTES_MAX = 1024,                     /* of a leaving statement */
    JOURNAL_FACTS_BYTES_MAX = 4096,              /* what a command tells the journal */
};

#endif
