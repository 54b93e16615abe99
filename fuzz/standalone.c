/* Replays a corpus through a fuzz target without libFuzzer: each argument is a file or a folder of files. A target with a mutator of
   its own also gets a few mutants of each input, always the same ones, so that the mutator is tested too. Prints TAP. */
#include <dirent.h>
#include <stdio.h>
#include <sys/stat.h>

#include "fuzz/fuzz.h"

enum { MUTANTS = 12, MUTANT_ROOM = 4096 };
#pragma weak LLVMFuzzerCustomMutator

static unsigned chance = 1;
static bool mutants = true;

/* Stands for libFuzzer's: one bit flipped, one byte set, one more or one less. */
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max)
{
    chance = chance * 1664525u + 1013904223u;
    unsigned way = chance >> 30, value = chance >> 8;
    if ((way == 0 || size == 0) && size < max)
        data[size++] = (uint8_t)value;
    else if (way == 1 && size > 1)
        size--;
    else if (way == 2 && size)
        data[value % size] ^= (uint8_t)(1u << (value >> 16) % 8);
    else if (size)
        data[value % size] = (uint8_t)(value >> 12);
    return size;
}

static void run(const uint8_t *data, size_t len)
{
    /* An exact copy, so that the address sanitizer sees one byte too far. */
    uint8_t *exact = malloc(len ? len : 1);
    must(exact != NULL);
    if (len)
        memcpy(exact, data, len);
    (void)LLVMFuzzerTestOneInput(exact, len);
    free(exact);
}

static void run_mutants(const uint8_t *data, size_t len)
{
    uint8_t *room = malloc(len + MUTANT_ROOM);
    must(room != NULL);
    for (unsigned i = 0; i < MUTANTS; i++) {
        if (len)
            memcpy(room, data, len);
        run(room, LLVMFuzzerCustomMutator(room, len, len + MUTANT_ROOM, i * 2654435761u));
    }
    free(room);
}

static int replay_file(const char *path)
{
    FILE *file = fopen(path, "rb");
    if (!file)
        return 0;
    uint8_t *data = NULL;
    size_t len = 0, cap = 0, n;
    do {
        if (len == cap) {
            cap = cap ? cap * 2 : 65536;
            uint8_t *more = realloc(data, cap);
            must(more != NULL);
            data = more;
        }
        n = fread(data + len, 1, cap - len, file);
        len += n;
    } while (n > 0);
    (void)fclose(file);
    run(data, len);
    if (mutants && LLVMFuzzerCustomMutator)
        run_mutants(data, len);
    free(data);
    return 1;
}

static int replay(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return 0;
    if (!S_ISDIR(st.st_mode))
        return replay_file(path);
    DIR *dir = opendir(path);
    int count = 0;
    for (struct dirent *entry; dir && (entry = readdir(dir));) {
        char name[4096];
        if (entry->d_name[0] == '.')
            continue;
        (void)snprintf(name, sizeof name, "%s/%s", path, entry->d_name);
        count += replay(name);
    }
    if (dir)
        (void)closedir(dir);
    return count;
}

int main(int argc, char **argv)
{
    int count = 0;
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--no-mutants") == 0) /* to measure what the corpus alone reaches */
            mutants = false;
        else
            count += replay(argv[i]);
    printf("%s 1 - %d inputs replayed\n1..1\n", count > 0 ? "ok" : "not ok", count);
    return count > 0 ? 0 : 1;
}
