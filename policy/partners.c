#include "policy/partners.h"

#include "base/yaml_errors.h"
#include "policy/protocol_load.h"

#define AGENCIES_MAX 64

/* One row: what an agency is to the protocol, and which strands are ticked. */
struct row {
    const char *agency;
    uint32_t classes; /* bits; 0: no party to the protocol */
    uint32_t strands; /* bits */
    uint32_t line;
};

struct partners {
    const struct protocol *protocol;
    struct protocol_loader loader; /* for its readers of references */
    struct yaml_errors *conflicts;
    const char *table_paragraph;
    uint16_t count;
    struct row rows[AGENCIES_MAX];
};

static uint32_t references(struct partners *partners, const struct yaml_node *node,
                           uint16_t (*find)(const struct protocol *, struct byte_view), const char *what,
                           const char *where)
{
    return protocol_read_references(&partners->loader, node, find, what, where, NULL);
}

static void read_row(struct partners *partners, const struct yaml_node *key, const struct yaml_node *node)
{
    static const char *const keys[] = {"classes", "strands", NULL};
    struct row *row = &partners->rows[partners->count];

    if (!read_fields(partners->loader.errors, node, keys))
        return;
    row->agency = key->text;
    row->line = key->line;
    if (!yaml_is(yaml_read_required(partners->loader.errors, node, "classes"), "none"))
        row->classes =
            references(partners, yaml_get(node, "classes"), protocol_find_class, "class", "classes");
    row->strands = references(partners, yaml_read_required(partners->loader.errors, node, "strands"),
                              protocol_load_find_strand, "strand", "strands");
    partners->count++;
}

static void read_table(struct partners *partners, const struct yaml_node *root)
{
    static const char *const keys[] = {"paragraph", "agencies", NULL};
    const struct yaml_node *table = yaml_read_required(partners->loader.errors, root, "table");
    const struct yaml_node *rows;

    partners->table_paragraph = "";
    if (!read_fields(partners->loader.errors, table, keys))
        return;
    partners->table_paragraph = protocol_read_paragraph(&partners->loader, table);
    read_records(partners->loader.errors, table, "agencies", true, AGENCIES_MAX, &rows);
    for (size_t i = 0; i < yaml_count(rows); i++)
        read_row(partners, yaml_key(rows, i), yaml_value(rows, i));
}

/* The row that stands for the class, ticked or not. */
static const struct row *row_of(const struct partners *partners, uint16_t class, uint16_t strand,
                                bool *ret_ticked)
{
    const struct row *found = NULL;

    *ret_ticked = false;
    for (uint16_t i = 0; i < partners->count; i++) {
        const struct row *row = &partners->rows[i];

        if ((row->classes >> class & 1) == 0)
            continue;
        found = row;
        *ret_ticked = *ret_ticked || (row->strands >> strand & 1) != 0;
    }
    return found;
}

static void check_lead(struct partners *partners, const struct yaml_node *node, const char *paragraph,
                       uint16_t strand, uint16_t class)
{
    const struct protocol *protocol = partners->protocol;
    const char *name = protocol->classes[class].name;
    bool ticked;
    const struct row *row = row_of(partners, class, strand, &ticked);

    if (row == NULL)
        yaml_errors_add(
            partners->conflicts, node,
            "%s makes %s lead of '%s', yet the table (%s) has no such agency; ask the partnership "
            "which is meant",
            paragraph, name, protocol->strands[strand].name, partners->table_paragraph);
    else if (!ticked)
        yaml_errors_add(
            partners->conflicts, node,
            "%s makes %s lead of '%s', yet the table (%s, line %u) does not tick it for '%s'; ask the "
            "partnership which holds",
            paragraph, name, protocol->strands[strand].name, partners->table_paragraph, row->line,
            row->agency);
    if (protocol->strands[strand].class_index != class)
        yaml_errors_add(partners->conflicts, node,
                        "%s makes %s lead of '%s', yet the protocol gives the list to class %s; ask the "
                        "partnership which holds",
                        paragraph, name, protocol->strands[strand].name,
                        protocol->classes[protocol->strands[strand].class_index].name);
}

static void read_lead(struct partners *partners, const struct yaml_node *key, const struct yaml_node *node)
{
    static const char *const keys[] = {"paragraph", "class", NULL};
    struct yaml_errors *errors = partners->loader.errors;
    uint16_t strand, class;
    const char *paragraph;

    if (!read_fields(errors, node, keys))
        return;
    strand = protocol_read_reference(&partners->loader, key, protocol_load_find_strand, "strand", "strands");
    paragraph = protocol_read_paragraph(&partners->loader, node);
    class = protocol_read_reference(&partners->loader, yaml_read_required(errors, node, "class"),
                                    protocol_find_class, "class", "classes");
    if (errors->count == 0 && strand != PROTOCOL_NONE && class != PROTOCOL_NONE)
        check_lead(partners, node, paragraph, strand, class);
}

static void read_all(struct partners *partners, const struct yaml_node *root)
{
    static const char *const keys[] = {"partners_of", "table", "leads", NULL};
    struct yaml_errors *errors = partners->loader.errors;
    const struct yaml_node *of, *leads;
    const char *id;

    if (!read_fields(errors, root, keys))
        return;
    of = yaml_read_required(errors, root, "partners_of");
    if (yaml_read_string(errors, of, &id) &&
        !bytes_equal(protocol_text_of(of), bytes_of_string(partners->protocol->id)))
        yaml_errors_add(errors, of, "this table is not of the protocol '%s'; give the one that belongs to it",
                        partners->protocol->id);
    read_table(partners, root);
    read_records(errors, root, "leads", true, PROTOCOL_STRANDS_MAX, &leads);
    for (size_t i = 0; i < yaml_count(leads); i++)
        read_lead(partners, yaml_key(leads, i), yaml_value(leads, i));
}

enum status partners_check(struct byte_view text, const struct protocol *protocol, struct yaml_errors *errors,
                           struct yaml_errors *conflicts)
{
    struct partners partners = {.protocol = protocol, .conflicts = conflicts};
    struct protocol copy = *protocol; /* the readers of references take one that could be filled */
    struct yaml *yaml = NULL;
    enum status status;

    partners.loader = (struct protocol_loader){
        .errors = errors, .catalogue = protocol->catalogue, .protocol = &copy, .arena = arena_new()};
    if (partners.loader.arena == NULL)
        return STATUS_NO_MEMORY;
    status = read_tree(text, errors, &yaml);
    if (status == STATUS_OK) {
        read_all(&partners, yaml_root(yaml));
        status = partners.loader.no_memory ? STATUS_NO_MEMORY : read_finish(errors, partners.loader.arena);
    }
    arena_free(&partners.loader.arena);
    yaml_destroy(&yaml);
    return status;
}
