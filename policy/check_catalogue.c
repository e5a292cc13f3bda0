#include "base/yaml_errors.h"
#include "policy/check.h"

/* What the protocol leaves of its catalogue unsaid. */

static bool is_sendable(const struct protocol *protocol, uint16_t event)
{
    for (uint16_t class = 0; class < protocol->class_count; class ++) {
        if (protocol_pair_of(protocol, event, class)->rule != PROTOCOL_NONE &&
            !party_set_empty(&protocol->classes[class].parties))
            return true;
    }
    return false;
}

static bool is_denied(const struct protocol *protocol, uint16_t event)
{
    for (uint16_t i = 0; i < protocol->denial_count; i++) {
        const struct protocol_denial *denial = &protocol->denials[i];

        if (denial->whole && (denial->events[event / 64] >> (event % 64) & 1) != 0)
            return true;
    }
    return false;
}

/* Somebody may have it, the register reads it, or a denial names it. */
static struct label_set accounted(const struct protocol *protocol)
{
    struct label_set labels = {{0}};

    for (uint32_t i = 0; i < protocol->route_count; i++)
        labels = label_set_or(labels, &protocol->routes[i].labels);
    for (uint16_t i = 0; i < protocol->denial_count; i++)
        labels = label_set_or(labels, &protocol->denials[i].items);
    for (uint16_t i = 0; i < protocol->catalogue->event_count; i++) {
        const struct catalogue_event *event = &protocol->catalogue->events[i];

        if (is_sendable(protocol, i))
            labels = label_set_or(labels, &event->attribute_set);
    }
    return labels;
}

/* A protocol that uses little of a large catalogue is told once, and not once for each. */
#define FEW 10

struct untold {
    size_t count;
    const struct yaml_node *nodes[FEW];
};

static void note(struct untold *untold, const struct yaml_node *node)
{
    if (untold->count < FEW)
        untold->nodes[untold->count] = node;
    untold->count++;
}

static void tell(const struct untold *untold, const char *what, const char *remedy,
                 struct yaml_errors *warnings)
{
    if (untold->count > FEW) {
        yaml_errors_add(
            warnings, untold->nodes[0]->key,
            "nobody may %s, nor %zu more in this catalogue, and the protocol does not say why; %s, or use a "
            "catalogue of its own",
            what, untold->count - 1, remedy);
        return;
    }
    for (size_t i = 0; i < untold->count; i++)
        yaml_errors_add(warnings, untold->nodes[i]->key,
                        "nobody may %s, and the protocol does not say why; %s", what, remedy);
}

static void check_events(const struct protocol *protocol, const struct yaml_node *root,
                         struct yaml_errors *warnings)
{
    struct untold untold = {0};

    for (uint16_t i = 0; i < protocol->catalogue->event_count; i++) {
        const struct yaml_node *node =
            yaml_get(yaml_get(root, "events"), protocol->catalogue->events[i].type);

        if (node != NULL && !is_sendable(protocol, i) && !is_denied(protocol, i))
            note(&untold, node);
    }
    tell(&untold, "send this", "add a rule, a record or a denial", warnings);
}

/* An item that only denied event types carry is denied with them. Corrections may carry all that was told. */
static bool is_carried(const struct protocol *protocol, unsigned label)
{
    for (uint16_t i = 0; i < protocol->catalogue->event_count; i++) {
        if (protocol->catalogue->events[i].corrects == CORRECTION_NONE && !is_denied(protocol, i) &&
            label_set_has(&protocol->catalogue->events[i].carried, label))
            return true;
    }
    return false;
}

static void check_items(const struct protocol *protocol, const struct yaml_node *root,
                        struct yaml_errors *warnings)
{
    struct label_set known = accounted(protocol);
    struct untold untold = {0};

    for (uint16_t i = 0; i < protocol->catalogue->label_count; i++) {
        const struct yaml_node *node =
            yaml_get(yaml_get(root, "items"), protocol->catalogue->labels[i].label);

        if (node != NULL && !label_set_has(&known, i) && is_carried(protocol, i))
            note(&untold, node);
    }
    tell(&untold, "have this item", "grant it, or name it in a denial", warnings);
}

enum status check_catalogue(const struct protocol *protocol, struct byte_view text,
                            struct yaml_errors *warnings)
{
    struct yaml *yaml = NULL;
    struct yaml_error error;
    enum status status = yaml_parse(text, &yaml, &error);

    if (status != STATUS_OK)
        return status;
    check_events(protocol, yaml_root(yaml), warnings);
    check_items(protocol, yaml_root(yaml), warnings);
    yaml_destroy(&yaml);
    return STATUS_OK;
}
