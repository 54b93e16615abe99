#include <curl/curl.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "cli/cli.h"

static void take_out(struct cli *cli, int at, int count)
{
    memmove(cli->argv + at, cli->argv + at + count, (size_t)(cli->argc - at - count) * sizeof *cli->argv);
    cli->argc -= count;
}

const char *option(struct cli *cli, const char *name)
{
    for (int i = 0; i + 1 < cli->argc; i++)
        if (strcmp(cli->argv[i], name) == 0) {
            const char *value = cli->argv[i + 1];
            take_out(cli, i, 2);
            return value;
        }
    return NULL;
}

bool option_flag(struct cli *cli, const char *name)
{
    for (int i = 0; i < cli->argc; i++)
        if (strcmp(cli->argv[i], name) == 0) {
            take_out(cli, i, 1);
            return true;
        }
    return false;
}

bool words(struct cli *cli, int count, const char *usage)
{
    for (int i = 0; i < cli->argc; i++)
        if (strncmp(cli->argv[i], "--", 2) == 0) {
            (void)cli_usage(cli, "unknown or incomplete option %s (usage: %s)", cli->argv[i], usage);
            return false;
        }
    if (cli->argc != count) {
        (void)cli_usage(cli, "usage: %s", usage);
        return false;
    }
    return true;
}

bool fraction_parse(const char *text, unsigned *need, unsigned *count)
{
    const char *slash = text ? strchr(text, '/') : NULL;
    uint64_t a, b;
    if (!slash || !decimal_parse(span_of(text, (size_t)(slash - text)), &a) ||
        !decimal_parse(span_str(slash + 1), &b) || a > 99 || b > 99)
        return false;
    *need = (unsigned)a;
    *count = (unsigned)b;
    return true;
}

int exit_of(int code)
{
    switch (code) {
    case 0:
        return EXIT_YES;
    case E_USAGE:
        return EXIT_USAGE;
    case E_UNWITNESSED:
        return EXIT_PENDING;
    case E_IO:
    case E_FULL:
    case E_NOMEM:
    case E_LOCKED:
    case E_STATE:
    case E_CONFIG:
    case E_PEER:
    case E_BUSY:
        return EXIT_IO;
    case E_LABEL:
    case E_REFUSED:
    case E_RECOVERING:
    case E_EXISTS:
    case E_LEFT:
    case E_AHEAD:
    case E_PASSPHRASE:
        return EXIT_REFUSED;
    default:
        return EXIT_NO;
    }
}

int cli_fail(const struct cli *cli, int code, const struct fault *fault)
{
    static const struct fault unsaid;
    const struct error_text *text = error_text(code);
    struct buf line;
    fault = fault ? fault : &unsaid;
    buf_init(&line, 16384);
    if (cli->json) {
        fault_json(&line, fault, code);
    } else {
        buf_text(&line, "comity: ");
        text_show(&line, span_str(fault->where));
        buf_text(&line, fault->where[0] ? ": " : "");
        buf_text(&line, text->message);
        buf_text(&line, fault->detail[0] ? " (" : "");
        text_show(&line, span_str(fault->detail));
        buf_text(&line, fault->detail[0] ? ")" : "");
        buf_printf(&line, "\n  rule:   %s\n  remedy: %s\n", text->rule, text->remedy);
    }
    (void)fwrite(line.data, 1, line.len, cli->json ? stdout : stderr);
    buf_free(&line);
    return exit_of(code);
}

int action_run(struct cli *cli, const struct action_named *actions, const char *usage)
{
    for (; actions->name && cli->argc; actions++)
        if (strcmp(cli->argv[0], actions->name) == 0) {
            cli->argc--;
            cli->argv++;
            return actions->run(cli);
        }
    return cli_usage(cli, "%s", usage);
}

int cli_usage(const struct cli *cli, const char *format, ...)
{
    struct fault fault = {.code = E_USAGE};
    va_list args;
    va_start(args, format);
    (void)vsnprintf(fault.detail, sizeof fault.detail, format, args);
    va_end(args);
    return cli_fail(cli, E_USAGE, &fault);
}

int path_join(const struct cli *cli, const char *name, char out[static 4096])
{
    int n = snprintf(out, 4096, "%s/%s", cli->dir, name);
    return n > 0 && n < 4096 ? 0 : E_LIMIT;
}

static int errno_code(void)
{
    return errno == ENOSPC ? E_FULL : errno == ENOENT ? E_NOTFOUND : errno == EEXIST ? E_EXISTS : E_IO;
}

int file_read(const char *path, size_t max, struct buf *out, struct fault *fault)
{
    uint8_t block[65536];
    buf_init(out, max); /* before anything can fail: the caller frees it */
    int fd = strcmp(path, "-") == 0 ? dup(STDIN_FILENO) : open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        int code = fail(fault, errno_code(), "%s", strerror(errno));
        return fault ? fail_at(fault, code, "%s", path) : code;
    }
    ssize_t n = 0;
    struct stat status;
    bool over = fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && (uint64_t)status.st_size > max;
    while (!over && !out->error && (n = read(fd, block, sizeof block)) > 0)
        buf_add(out, block, (size_t)n);
    int code = n < 0 ? fail(fault, E_IO, "%s", strerror(errno)) : 0;
    if (over) /* seen before any of it is read */
        code = fail(fault, E_LIMIT, "%lld bytes, the limit is %zu", (long long)status.st_size, max);
    else if (out->error)
        code = fail(fault, out->error, "larger than %zu bytes", max);
    (void)close(fd);
    return code ? (fault ? fail_at(fault, code, "%s", path) : code) : 0;
}

static int write_all(int fd, struct span bytes)
{
    for (size_t done = 0; done < bytes.len;) {
        ssize_t n = write(fd, bytes.data + done, bytes.len - done);
        if (n < 0 && errno != EINTR)
            return -1;
        done += n > 0 ? (size_t)n : 0;
    }
    return fsync(fd);
}

/* The name lasts as well as the bytes. */
static int parent_sync(const char *path)
{
    char folder[4096];
    const char *slash = strrchr(path, '/');
    (void)snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1, slash ? path : ".");
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int rc = fd < 0 ? -1 : fsync(fd), saved = errno;
    if (fd >= 0)
        (void)close(fd);
    errno = saved;
    return rc && errno == EINVAL ? 0 : rc; /* what keeps no names has none to lose */
}

int file_write(const char *path, struct span bytes, unsigned mode, bool exclusive, struct fault *fault)
{
    char temporary[4096];
    (void)snprintf(temporary, sizeof temporary, "%s.new", path);
    const char *target = exclusive ? path : temporary;
    int fd = open(target, O_WRONLY | O_CREAT | O_CLOEXEC | (exclusive ? O_EXCL : O_TRUNC), mode);
    bool bad = fd < 0 || write_all(fd, bytes) != 0;
    int saved = errno;
    if (fd >= 0)
        (void)close(fd);
    if (!bad) {
        bad = (!exclusive && rename(temporary, path) != 0) || parent_sync(path) != 0;
        saved = errno;
    }
    if (!bad)
        return 0;
    if (fd >= 0)
        (void)unlink(target); /* a part of it helps nobody, and would be in the way of the next try */
    errno = saved;
    int code = fail(fault, errno_code(), "%s", strerror(errno));
    return fault ? fail_at(fault, code, "%s", path) : code;
}

/* HTTP */

static size_t curl_take(char *data, size_t size, size_t count, void *ctx)
{
    struct buf *out = ctx;
    buf_add(out, data, size * count);
    return out->error ? 0 : size * count;
}

enum { DISK_LEAST_BYTES = 65536 };

static CURL *curl_new(const char *url, struct buf *out)
{
    CURL *curl = curl_easy_init();
    if (!curl)
        return NULL;
    (void)curl_easy_setopt(curl, CURLOPT_URL, url);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, curl_take);
    (void)curl_easy_setopt(curl, CURLOPT_WRITEDATA, out);
    (void)curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, 10L);
    (void)curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L); /* a peer that hangs must not hold us for ever */
    (void)curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, 60L);
    return curl;
}

/* A node that finds no space stops, and is not there to say why. */
static bool disk_is_full(const char *dir)
{
    struct statvfs disk;
    return statvfs(dir, &disk) == 0 && disk.f_blocks && disk.f_bavail * disk.f_frsize < DISK_LEAST_BYTES;
}

int api_call(const struct cli *cli, const char *method, const char *path, struct span body, struct buf *out,
             int *status, struct fault *fault)
{
    char socket_path[4096], url[4096];
    (void)path_join(cli, "run/sock", socket_path);
    (void)snprintf(url, sizeof url, "http://node%s", path);
    buf_init(out, HTTP_BODY_MAX);
    CURL *curl = curl_new(url, out);
    if (!curl)
        return fail(fault, E_NOMEM, "curl");
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
    (void)curl_easy_setopt(curl, CURLOPT_UNIX_SOCKET_PATH, socket_path);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, 120L);
    if (strcmp(method, "GET") != 0) {
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.len ? (const char *)body.data : "");
    }
    CURLcode rc = curl_easy_perform(curl);
    long code = 0;
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    *status = (int)code;
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    if (rc == CURLE_OK)
        return 0;
    return disk_is_full(cli->dir)
               ? fail(fault, E_FULL, "the node does not answer on %.180s, and its disk is full", socket_path)
               : fail(fault, E_STATE, "the node does not answer on %.180s; start it with comity serve", socket_path);
}

int api_good(const struct cli *cli, const char *method, const char *path, struct span body, struct buf *out, int *exit)
{
    struct fault fault = {0};
    struct arena arena;
    const struct json *root;
    int status = 0, code = api_call(cli, method, path, body, out, &status, &fault);
    if (code) {
        *exit = cli_fail(cli, code, &fault);
        return code;
    }
    if (status >= 200 && status < 300)
        return 0;
    arena_init(&arena, JSON_BYTES_MAX);
    code = E_PEER;
    if (json_parse(&root, buf_view(out), HTTP_BODY_MAX, &arena, NULL) == 0 && json_get(root, "error")) {
        const struct json *error = json_get(root, "error");
        struct span id = json_text(error, "id"), where = json_text(error, "where"), detail = json_text(error, "detail");
        for (int c = E_BASE_ + 1; c < E_BASE_ + 200; c++)
            if (span_is(id, error_text(c)->id))
                code = c;
        (void)snprintf(fault.where, sizeof fault.where, "%.*s", (int)where.len, (const char *)where.data);
        (void)snprintf(fault.detail, sizeof fault.detail, "%.*s", (int)detail.len, (const char *)detail.data);
        *exit = cli_fail(cli, code, &fault);
    } else {
        (void)fail(&fault, E_PEER, "the node answered with HTTP status %d", status);
        *exit = cli_fail(cli, E_PEER, &fault);
    }
    arena_free(&arena);
    return code;
}

void url_escape(struct buf *out, const char *text)
{
    for (const char *p = text; *p; p++) {
        bool plain =
            (*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || strchr("-._~", *p);
        if (plain)
            buf_byte(out, (uint8_t)*p);
        else
            buf_printf(out, "%%%02X", (uint8_t)*p);
    }
}

int url_get(const char *url, struct buf *out, struct fault *fault)
{
    static CURL *kept; /* one connection for a whole audit */
    long status = 0;
    if (!kept)
        kept = curl_new(url, out);
    if (!kept)
        return fail(fault, E_NOMEM, "curl");
    (void)curl_easy_setopt(kept, CURLOPT_URL, url);
    (void)curl_easy_setopt(kept, CURLOPT_WRITEDATA, out);
    CURLcode rc = curl_easy_perform(kept);
    (void)curl_easy_getinfo(kept, CURLINFO_RESPONSE_CODE, &status);
    if (rc == CURLE_OK && status == 200)
        return 0;
    return fail(fault, rc == CURLE_OK && status == 404 ? E_NOTFOUND : E_PEER, "%.160s: %s (HTTP %ld)", url,
                curl_easy_strerror(rc), status);
}

int url_send(const char *method, const char *url, const char *const *lines, struct span body, struct buf *out,
             int *status, struct fault *fault)
{
    CURL *curl = curl_new(url, out);
    long code = 0;
    *status = 0;
    if (!curl)
        return fail(fault, E_NOMEM, "curl");
    struct curl_slist *headers = curl_slist_append(NULL, "Expect:");
    headers = curl_slist_append(headers, "Content-Type: application/octet-stream");
    for (; lines && *lines; lines++)
        headers = curl_slist_append(headers, *lines);
    (void)curl_easy_setopt(curl, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(curl, CURLOPT_TIMEOUT, 60L);
    if (strcmp(method, "GET") != 0) {
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.len);
        (void)curl_easy_setopt(curl, CURLOPT_POSTFIELDS, body.len ? (const char *)body.data : "");
        (void)curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, method);
    }
    CURLcode rc = curl_easy_perform(curl);
    (void)curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &code);
    *status = rc == CURLE_OK ? (int)code : 0;
    curl_slist_free_all(headers);
    curl_easy_cleanup(curl);
    return rc == CURLE_OK ? 0 : fail(fault, E_PEER, "%.160s: %s", url, curl_easy_strerror(rc));
}

void print_span(struct span text)
{
    struct buf shown;
    buf_init(&shown, 1 << 20);
    text_show(&shown, text);
    (void)fwrite(shown.data, 1, shown.len, stdout);
    buf_free(&shown);
}

void print_text(const struct json *object, const char *key)
{
    print_span(json_text(object, key));
}
