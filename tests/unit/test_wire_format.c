/*
 * docs/wire-format.md against the code: the schema in it is proto/wire.proto, and its worked example is what
 * we make of the same keys. With CONCORDAT_PRINT_EXAMPLE set, prints the example's blocks instead of
 * comparing.
 */
#include "tests/support/support.h"

#include "tests/support/sample.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MOST_BLOCKS  32
#define BYTES_A_LINE 32
#define LIMIT        ((size_t)1 << 20)

struct block {
    const char *name;
    struct byte_buffer bytes;
    bool seen;
};

static struct block blocks[MOST_BLOCKS];
static size_t block_count;

static struct byte_buffer *add(const char *name)
{
    assert_true(block_count < MOST_BLOCKS);
    blocks[block_count] = (struct block){.name = name, .bytes = bytes_buffer(LIMIT)};
    return &blocks[block_count++].bytes;
}

static void add_view(const char *name, struct byte_view view)
{
    bytes_append_view(add(name), view);
}

static void add_items(void)
{
    const struct item items[] = {
        {bytes_of_string("name"), bytes_of_string("Samuel Example")},
        {bytes_of_string("prison_no"), bytes_of_string("A1234BC")},
    };

    assert_int_equal(items_encode(items, 2, add("items")), STATUS_OK);
}

static void add_sections(const struct sample *sample)
{
    const struct sample_event *event = &sample->events[0];
    struct byte_view bytes = bytes_buffer_view(&event->sections[SAMPLE_TO_POLICE]);
    struct section section;
    uint8_t core[SECTION_DIGEST_SIZE];

    assert_int_equal(section_decode(bytes, &section), STATUS_OK);
    core_digest(bytes_buffer_view(&event->core_bytes), core);
    section_aad(&section, core, add("aad"));
    add_view("section-police", bytes);
    add_view("section-probation", bytes_buffer_view(&event->sections[SAMPLE_TO_PROBATION]));
}

/* Put together here from the page's words, not by the code that signs. */
static void add_signature(const struct sample *sample)
{
    struct digest leaves[2];
    uint8_t digest[HEADER_DIGEST_SIZE];
    uint8_t signature[ED25519_SIGNATURE_SIZE];
    struct byte_view header = bytes_buffer_view(&sample->events[0].header);

    add_view("header", header);
    header_digest(header, digest);
    add_view("header-digest", bytes_view(digest, sizeof digest));
    for (size_t i = 0; i < 2; i++)
        header_leaf(bytes_buffer_view(&sample->events[i].header), leaves[i].bytes);
    add_view("leaf", bytes_view(leaves[0].bytes, DIGEST_SIZE));
    add_view("path", bytes_view(leaves[1].bytes, DIGEST_SIZE));
    struct digest root = merkle_node(&leaves[0], &leaves[1]);
    add_view("root", bytes_view(root.bytes, DIGEST_SIZE));
    struct byte_buffer *message = add("signed");
    bytes_append(message, "concordat/events/v1", 20); /* with its zero */
    bytes_append(message, sample->signer.root.bytes, DIGEST_SIZE);
    bytes_append(message, sample->signer.certificate.bytes, DIGEST_SIZE);
    bytes_append_u32(message, 2);
    bytes_append(message, root.bytes, DIGEST_SIZE);
    assert_int_equal(ed25519_sign(sample->sender, bytes_buffer_view(message), signature), STATUS_OK);
    add_view("signature", bytes_view(signature, sizeof signature));
}

static void make_example(void)
{
    struct sample sample;

    sample_make(&sample, 2);
    add_view("core", bytes_buffer_view(&sample.events[0].core_bytes));
    add_view("opening", bytes_buffer_view(&sample.events[0].opening));
    add_items();
    add_sections(&sample);
    add_signature(&sample);
    add_view("publish", bytes_buffer_view(&sample.publish));
    sample_deliver(&sample, SAMPLE_TO_POLICE, add("deliver"));
    sample_receipt(&sample, SAMPLE_TO_POLICE, 0, add("receipt"));
    sample_receipts(&sample, SAMPLE_TO_POLICE, add("receipts"));
    sample_free(&sample);
}

static int start(void **state)
{
    (void)state;
    make_example();
    return 0;
}

static int stop(void **state)
{
    (void)state;
    for (size_t i = 0; i < block_count; i++)
        bytes_buffer_free(&blocks[i].bytes);
    return 0;
}

static void print_block(const struct block *block)
{
    printf("```hex %s\n", block->name);
    for (size_t i = 0; i < block->bytes.size; i++)
        printf("%02x%s", block->bytes.data[i],
               (i + 1) % BYTES_A_LINE == 0 || i + 1 == block->bytes.size ? "\n" : "");
    printf("```\n");
}

/* The page as a string; the caller frees the buffer. */
static struct byte_buffer read_text(const char *path)
{
    struct byte_buffer text = support_read_file(path);

    bytes_append_u8(&text, 0);
    assert_int_equal(text.status, STATUS_OK);
    return text;
}

static struct block *find_block(const char *name, size_t size)
{
    for (size_t i = 0; i < block_count; i++) {
        if (strlen(blocks[i].name) == size && strncmp(blocks[i].name, name, size) == 0)
            return &blocks[i];
    }
    return NULL;
}

/* The bytes between text and end, white space left out. */
static struct byte_buffer parse_hex(const char *text, const char *end)
{
    struct byte_buffer digits = bytes_buffer(LIMIT);
    struct byte_buffer bytes = bytes_buffer(LIMIT);

    for (; text < end; text++) {
        if (!isspace((unsigned char)*text))
            bytes_append(&digits, text, 1);
    }
    assert_int_equal(digits.size % 2, 0);
    bytes_append_zeros(&bytes, digits.size / 2);
    bytes_append_u8(&digits, 0);
    assert_int_equal(bytes_from_hex((const char *)digits.data, bytes.data, bytes.size), STATUS_OK);
    bytes_buffer_free(&digits);
    return bytes;
}

static void test_the_example_is_what_we_make(void **state)
{
    (void)state;
    static const char fence[] = "```hex ";

    if (getenv("CONCORDAT_PRINT_EXAMPLE") != NULL) {
        for (size_t i = 0; i < block_count; i++)
            print_block(&blocks[i]);
        return;
    }
    struct byte_buffer page = read_text(PROJECT_ROOT "/docs/wire-format.md");
    for (const char *at = (const char *)page.data; (at = strstr(at, fence)) != NULL;) {
        const char *name = at + strlen(fence);
        const char *body = strchr(name, '\n');
        const char *end = strstr(body, "```");
        assert_non_null(end);
        struct block *block = find_block(name, (size_t)(body - name));
        assert_non_null(block);
        struct byte_buffer bytes = parse_hex(body, end);
        if (!bytes_equal(bytes_buffer_view(&bytes), bytes_buffer_view(&block->bytes)))
            fail_msg("block %s of docs/wire-format.md is not what the code makes", block->name);
        block->seen = true;
        bytes_buffer_free(&bytes);
        at = end + 3;
    }
    for (size_t i = 0; i < block_count; i++) {
        if (!blocks[i].seen)
            fail_msg("docs/wire-format.md does not show block %s", blocks[i].name);
    }
    bytes_buffer_free(&page);
}

static void test_the_schema_is_ours(void **state)
{
    (void)state;
    struct byte_buffer page = read_text(PROJECT_ROOT "/docs/wire-format.md");
    struct byte_buffer schema = read_text(PROJECT_ROOT "/proto/wire.proto");
    const char *from = strstr((const char *)schema.data, "syntax = ");
    const char *shown = strstr((const char *)page.data, "```proto\n");

    assert_non_null(from);
    assert_non_null(shown);
    shown += strlen("```proto\n");
    assert_int_equal(strncmp(shown, from, strlen(from)), 0);
    assert_int_equal(strncmp(shown + strlen(from), "```", 3), 0);
    bytes_buffer_free(&page);
    bytes_buffer_free(&schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_example_is_what_we_make),
        cmocka_unit_test(test_the_schema_is_ours),
    };

    return cmocka_run_group_tests(tests, start, stop);
}
