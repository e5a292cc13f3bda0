/*
 * Runs a fuzz target without libFuzzer: every file of a corpus folder as it stands, then seeded mutations of
 * each.
 *
 * Usage: fuzz_NAME CORPUS_DIR [SEED [MUTATIONS_PER_FILE]]; without SEED it is CONCORDAT_SEED, or 1.
 */
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LARGEST_INPUT ((size_t)1 << 20)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static uint64_t state;

static uint64_t next_random(void)
{
    state ^= state >> 12;
    state ^= state << 25;
    state ^= state >> 27;
    return state * 0x2545f4914f6cdd1du;
}

/* One to eight changes: a flipped bit, a replaced byte, a cut, or a repeated stretch. Returns the new size.
 */
static size_t mutate(uint8_t *data, size_t size)
{
    for (uint64_t changes = 1 + next_random() % 8; changes > 0 && size > 0; changes--) {
        size_t at = (size_t)(next_random() % size);
        size_t length = 1 + (size_t)(next_random() % 16);
        switch (next_random() % 4) {
        case 0:
            data[at] ^= (uint8_t)(1u << next_random() % 8);
            break;
        case 1:
            data[at] = (uint8_t)next_random();
            break;
        case 2:
            size = at;
            break;
        default:
            if (length > size - at)
                length = size - at;
            if (size + length <= LARGEST_INPUT) {
                memmove(data + at + length, data + at, size - at);
                size += length;
            }
            break;
        }
    }
    return size;
}

static void run_exact(const uint8_t *data, size_t size)
{
    uint8_t *copy =
        malloc(size > 0 ? size : 1); /* its own allocation, so that a sanitizer sees one byte too many */

    if (copy == NULL)
        abort();
    if (size > 0)
        memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static int run_file(const char *path, unsigned long mutations)
{
    static uint8_t original[LARGEST_INPUT];
    static uint8_t work[LARGEST_INPUT];
    FILE *file = fopen(path, "rb");

    if (file == NULL) {
        perror(path);
        return 1;
    }
    size_t size = fread(original, 1, sizeof original, file);
    fclose(file);
    run_exact(original, size);
    for (unsigned long i = 0; i < mutations; i++) {
        memcpy(work, original, size);
        run_exact(work, mutate(work, size));
    }
    return 0;
}

int main(int argc, char **argv)
{
    const char *added = getenv("CONCORDAT_SEED");
    unsigned long seed = argc > 2 ? strtoul(argv[2], NULL, 10) : added != NULL ? strtoul(added, NULL, 10) : 1;
    unsigned long mutations = argc > 3 ? strtoul(argv[3], NULL, 10) : 500;
    unsigned files = 0;

    if (argc < 2) {
        fprintf(stderr, "usage: %s CORPUS_DIR [SEED [MUTATIONS_PER_FILE]]\n", argv[0]);
        return 2;
    }
    DIR *folder = opendir(argv[1]);
    if (folder == NULL) {
        perror(argv[1]);
        return 3;
    }
    state = seed * 0x9e3779b97f4a7c15u + 1;
    for (struct dirent *entry; (entry = readdir(folder)) != NULL;) {
        char path[4096];
        if (entry->d_name[0] == '.')
            continue;
        snprintf(path, sizeof path, "%s/%s", argv[1], entry->d_name);
        if (run_file(path, mutations) != 0)
            return 3;
        files++;
    }
    closedir(folder);
    printf("%u corpus files, %lu mutations each, seed %lu\n", files, mutations, seed);
    return files > 0 ? 0 : 1; /* an empty corpus tests nothing */
}
